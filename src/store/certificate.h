/*
 * What certificates say, as far as people and peers care: names, issuer, dates, whether each is
 * the issuer of the one before, which domains are covered; and requests for new ones. No I/O but
 * OpenSSL's own.
 */
#ifndef STORE_CERTIFICATE_H
#define STORE_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CERTIFICATE_FINGERPRINT_DIGITS 64
#define CERTIFICATE_NAMES_BYTES 2000 /* shown; a certificate may have hundreds */

/* Texts are the caller's, in one line. */
char *certificate_names(X509 *certificate); /* dNSName and SRVName, with commas between */
char *certificate_subject(X509 *certificate);
char *certificate_issuer(X509 *certificate);
/* SHA-256 of the whole, as `openssl x509 -fingerprint` has it, without colons. */
void certificate_fingerprint(X509 *certificate, char digits[CERTIFICATE_FINGERPRINT_DIGITS + 1]);
bool certificate_end(X509 *certificate, int64_t *end_s); /* false: no date that can be read */
/* Whether an XMPP server that dials `domain` (prepared) takes it for the domain's (RFC 6120
 * 13.7.1.2): by dNSName, where * stands for one label, or by SRVName. */
bool certificate_covers(X509 *certificate, const char *domain);

/* Certificates in PEM, that of the node first, as they can be shown to peers now: each is issued
 * by the next, and none has ended or begins later. False and *why (the caller's). */
bool certificate_check_chain(const char *certificates, int64_t now_s, char **why);

/* A request (PKCS #10) in PEM for names (prepared domains), each as dNSName and as SRVName
 * _xmpp-server; the caller's. NULL: OpenSSL could not. */
char *certificate_request(EVP_PKEY *key, const char *const *names, size_t count);
/* A new key for it, in PEM; the caller wipes it (pem.h). NULL: OpenSSL could not. */
char *certificate_new_key(void);

#endif
