/*
 * TLS: contexts made from PEM bytes (nobody here opens a file), sessions for streams and links,
 * and what is known of the peer afterwards.
 *
 * A handshake never fails for the peer's certificate: the verdict is kept and the policy
 * decides, since dialback may follow. Sessions are never resumed: a resumed one would skip the
 * verification, and with it a new CRL, trust store or pin.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/slice.h"

#include <openssl/ssl.h>

struct tls; /* one identity and one trust store, both directions; sessions keep it alive */

/* For s2s streams: TLS 1.2 and 1.3. `trust` (PEM, may be empty) is what peers' chains must lead
 * to. NULL with *why set when something cannot be read. */
struct tls *tls_create_stream(struct slice certificate, struct slice private_key,
			      struct slice trust, const char **why);
/* For links: TLS 1.3 only, ALPN `sallyport-link`, both sides show a certificate, pins decide. */
struct tls *tls_create_link(struct slice certificate, struct slice private_key, const char **why);
/* For people and SOAP clients: TLS 1.2 and 1.3, ALPN `http/1.1`, no certificate is asked for. */
struct tls *tls_create_https(struct slice certificate, struct slice private_key, const char **why);
void tls_destroy(struct tls **tls);

/* `peer`: whom it says it is, an A-label; NULL or empty: it has not said. */
SSL *tls_accepting(const struct tls *tls, const char *peer);
/* `name`: for SNI, an A-label; NULL: none. */
SSL *tls_dialling(const struct tls *tls, const char *name);

/*
 * For a capture that is to be read: from now on the secrets of each session that is made, a line of
 * SSLKEYLOGFILE at a time, of this whole process. `domain`: of those with that peer alone; NULL: of
 * all. `line` NULL: of none, as it is at the start.
 */
typedef void tls_secret_fn(void *arg, const char *line);
void tls_tell_secrets(tls_secret_fn *line, void *arg, const char *domain);

/* What the handshake showed of the peer. Plain data. */
struct tls_peer {
	bool has_certificate;
	bool chain_valid; /* leads to the trust store, in time, purpose server */
	bool name_valid;  /* it names the domain asked for (RFC 6125, SRV-ID or DNS-ID) */
	const char *why;  /* the first thing wrong with the chain or name; NULL: nothing */
	const char *version, *cipher;
};

/* Judges the peer of an established session for `domain` (A-label; NULL: no name asked). */
void tls_judge(SSL *ssl, const char *domain, struct tls_peer *peer);

#define TLS_PIN_LEN 64 /* SHA-256 of the SubjectPublicKeyInfo, lowercase hex */
/* False when the peer showed no certificate. */
bool tls_peer_pin(SSL *ssl, char pin[TLS_PIN_LEN + 1]);
/* Whether ALPN agreed on `sallyport-link`. */
bool tls_is_link(SSL *ssl);

#endif
