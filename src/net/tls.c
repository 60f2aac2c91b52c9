#include "net/tls.h"

#include "base/alloc.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define LINK_PROTOCOL "sallyport-link"
static const unsigned char link_alpn[] = "\x0e" LINK_PROTOCOL;

struct tls {
	SSL_CTX *accepting, *dialling;
};

/* Where a session keeps the first error of the chain: SSL_get_verify_result has only the last. */
static int first_error_index = -1;
/* It keeps pointers: the place in here is the error's number. */
static char error_numbers[256];

/* Whom the secrets are told, and which sessions have them told. */
static struct {
	tls_secret_fn *line;
	void *arg;
	char *domain;
	int chosen_index; /* of a session: for which asking it was chosen; 0: not asked for yet */
	uintptr_t asking;
} secrets;

static int keep_first_error(int valid, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	int error = X509_STORE_CTX_get_error(store);

	if (error <= 0 || error >= (int)sizeof(error_numbers))
		error = X509_V_ERR_UNSPECIFIED;
	if (!valid && !SSL_get_ex_data(ssl, first_error_index))
		SSL_set_ex_data(ssl, first_error_index, &error_numbers[error]);
	return 1;
}

static BIO *reader_of(struct slice pem)
{
	BIO *bio = BIO_new_mem_buf(pem.data ? pem.data : "", (int)pem.len);

	if (!bio)
		abort();
	return bio;
}

static bool use_chain(SSL_CTX *ctx, struct slice pem)
{
	BIO *bio = reader_of(pem);
	X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	bool good = certificate && SSL_CTX_use_certificate(ctx, certificate) == 1;

	X509_free(certificate);
	while (good && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		good = SSL_CTX_add0_chain_cert(ctx, certificate) == 1;
	BIO_free(bio);
	return good;
}

/* An encrypted key is refused; OpenSSL would ask for its passphrase on the terminal. */
static int no_passphrase(char *into, int size, int encrypting, void *arg)
{
	return -1;
}

static bool use_key(SSL_CTX *ctx, struct slice pem)
{
	BIO *bio = reader_of(pem);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	bool good = key && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	BIO_free(bio);
	return good;
}

static void trust_all_of(SSL_CTX *ctx, struct slice pem)
{
	BIO *bio = reader_of(pem);
	X509 *certificate;

	while ((certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL))) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate);
		X509_free(certificate);
	}
	BIO_free(bio);
}

static SSL_CTX *context(const SSL_METHOD *method, int lowest_version)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		abort();
	if (first_error_index < 0)
		first_error_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	SSL_CTX_set_min_proto_version(ctx, lowest_version);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Without it every record costs two reads (measured: half the cost of small stanzas). */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, keep_first_error);
	/* Public CAs no longer issue clientAuth: an initiating server shows what it has as a
	 * server, so both directions ask for that purpose. */
	X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(ctx), X509_PURPOSE_SSL_SERVER);
	return ctx;
}

static struct tls *create(struct slice certificate, struct slice private_key, int lowest_version,
			  const char **why)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));

	tls->accepting = context(TLS_server_method(), lowest_version);
	tls->dialling = context(TLS_client_method(), lowest_version);
	ERR_clear_error();
	if (!use_chain(tls->accepting, certificate) || !use_chain(tls->dialling, certificate)) {
		*why = "the certificate cannot be read";
	} else if (!use_key(tls->accepting, private_key) || !use_key(tls->dialling, private_key)) {
		*why = "the private key cannot be read or does not fit the certificate";
	} else {
		return tls;
	}
	tls_destroy(&tls);
	return NULL;
}

struct tls *tls_create_stream(struct slice certificate, struct slice private_key,
			      struct slice trust, const char **why)
{
	struct tls *tls = create(certificate, private_key, TLS1_2_VERSION, why);

	if (tls) {
		trust_all_of(tls->accepting, trust);
		trust_all_of(tls->dialling, trust);
	}
	return tls;
}

static int choose_link(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *in, unsigned int in_len, void *arg)
{
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, out_len, link_alpn, sizeof(link_alpn) - 1, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

struct tls *tls_create_link(struct slice certificate, struct slice private_key, const char **why)
{
	struct tls *tls = create(certificate, private_key, TLS1_3_VERSION, why);

	if (tls) {
		SSL_CTX_set_verify(tls->accepting,
				   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   keep_first_error);
		SSL_CTX_set_alpn_select_cb(tls->accepting, choose_link, NULL);
		SSL_CTX_set_alpn_protos(tls->dialling, link_alpn, sizeof(link_alpn) - 1);
	}
	return tls;
}

/* Who offers something else gets no ALPN, and HTTP/1.1 all the same. */
static int choose_http(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *in, unsigned int in_len, void *arg)
{
	static const unsigned char http[] = "\x08http/1.1";
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, out_len, http, sizeof(http) - 1, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

struct tls *tls_create_https(struct slice certificate, struct slice private_key, const char **why)
{
	struct tls *tls = create(certificate, private_key, TLS1_2_VERSION, why);

	if (tls) {
		SSL_CTX_set_verify(tls->accepting, SSL_VERIFY_NONE, NULL);
		SSL_CTX_set_alpn_select_cb(tls->accepting, choose_http, NULL);
		/* libevent looks for what is pending in a way that misses what was read ahead. */
		SSL_CTX_set_read_ahead(tls->accepting, 0);
	}
	return tls;
}

void tls_destroy(struct tls **tls_ref)
{
	struct tls *tls = *tls_ref;

	if (!tls)
		return;
	*tls_ref = NULL;
	SSL_CTX_free(tls->accepting);
	SSL_CTX_free(tls->dialling);
	free(tls);
}

static void on_secret(const SSL *ssl, const char *line)
{
	if (secrets.line && (uintptr_t)SSL_get_ex_data(ssl, secrets.chosen_index) == secrets.asking)
		secrets.line(secrets.arg, line);
}

static void choose_for_secrets(SSL *ssl, const char *peer)
{
	if (!secrets.line || (secrets.domain && (!peer || strcasecmp(peer, secrets.domain) != 0)))
		return;
	SSL_CTX_set_keylog_callback(SSL_get_SSL_CTX(ssl), on_secret);
	SSL_set_ex_data(ssl, secrets.chosen_index, (void *)secrets.asking);
}

void tls_tell_secrets(tls_secret_fn *line, void *arg, const char *domain)
{
	if (!secrets.chosen_index) /* 0 is an index of OpenSSL's own */
		secrets.chosen_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	free(secrets.domain);
	secrets.domain = domain ? xstrdup(domain) : NULL;
	secrets.line = line;
	secrets.arg = arg;
	secrets.asking++;
}

SSL *tls_accepting(const struct tls *tls, const char *peer)
{
	SSL *ssl = SSL_new(tls->accepting);

	if (!ssl)
		abort();
	SSL_set_accept_state(ssl);
	choose_for_secrets(ssl, peer);
	return ssl;
}

SSL *tls_dialling(const struct tls *tls, const char *name)
{
	SSL *ssl = SSL_new(tls->dialling);

	if (!ssl)
		abort();
	SSL_set_connect_state(ssl);
	choose_for_secrets(ssl, name);
	if (name) {
		char host[TLSEXT_MAXLEN_host_name + 1]; /* OpenSSL copies, but asks for char * */

		snprintf(host, sizeof(host), "%s", name);
		SSL_set_tlsext_host_name(ssl, host);
	}
	return ssl;
}

/* SRV-ID (RFC 4985): `_xmpp-server.domain` in an otherName. */
static bool names_service(const GENERAL_NAME *name, const char *domain)
{
	static const char prefix[] = "_xmpp-server.";
	const ASN1_STRING *text;
	int len;

	if (name->type != GEN_OTHERNAME || OBJ_obj2nid(name->d.otherName->type_id) != NID_SRVName ||
	    name->d.otherName->value->type != V_ASN1_IA5STRING)
		return false;
	text = name->d.otherName->value->value.ia5string;
	len = ASN1_STRING_length(text);
	return (size_t)len == strlen(prefix) + strlen(domain) &&
	       strncasecmp((const char *)ASN1_STRING_get0_data(text), prefix, strlen(prefix)) ==
		       0 &&
	       strncasecmp((const char *)ASN1_STRING_get0_data(text) + strlen(prefix), domain,
			   strlen(domain)) == 0;
}

static bool names_domain(X509 *certificate, const char *domain)
{
	GENERAL_NAMES *names;
	bool found;

	if (X509_check_host(certificate, domain, strlen(domain),
			    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
				    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
			    NULL) == 1)
		return true;
	names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	found = false;
	for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++)
		found = names_service(sk_GENERAL_NAME_value(names, i), domain);
	GENERAL_NAMES_free(names);
	return found;
}

void tls_judge(SSL *ssl, const char *domain, struct tls_peer *peer)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	const char *first = SSL_get_ex_data(ssl, first_error_index);
	long error = first ? first - error_numbers : SSL_get_verify_result(ssl);

	*peer = (struct tls_peer){
		.has_certificate = certificate != NULL,
		.chain_valid = certificate && error == X509_V_OK,
		.name_valid = certificate && (!domain || names_domain(certificate, domain)),
		.version = SSL_get_version(ssl),
		.cipher = SSL_get_cipher_name(ssl),
	};
	if (!certificate)
		peer->why = "no certificate shown";
	else if (!peer->chain_valid)
		peer->why = X509_verify_cert_error_string(error);
	else if (!peer->name_valid)
		peer->why = "the certificate names another domain";
}

bool tls_peer_pin(SSL *ssl, char pin[TLS_PIN_LEN + 1])
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len = 0;
	int len;

	if (!certificate)
		return false;
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	if (len <= 0)
		return false;
	EVP_Digest(der, (size_t)len, digest, &digest_len, EVP_sha256(), NULL);
	OPENSSL_free(der);
	for (unsigned int i = 0; i < digest_len; i++)
		snprintf(pin + 2 * (size_t)i, 3, "%02x", digest[i]);
	return true;
}

bool tls_is_link(SSL *ssl)
{
	const unsigned char *protocol;
	unsigned int len;

	SSL_get0_alpn_selected(ssl, &protocol, &len);
	return len == strlen(LINK_PROTOCOL) && memcmp(protocol, LINK_PROTOCOL, len) == 0;
}
