/* Certificates and private keys as text, checked by OpenSSL. Private keys in text are wiped. */
#ifndef STORE_PEM_H
#define STORE_PEM_H

#include <openssl/x509.h>
#include <stdbool.h>

/* Written again from what was read: the certificates in their order and nothing else. NULL: there
 * is none, or one is broken. The caller frees it. */
char *pem_certificates(const char *text);
/* The first private key, unencrypted, written again in PKCS #8. NULL: there is none. */
char *pem_private_key(const char *text);
bool pem_has_private_key(const char *text); /* encrypted and broken ones too */
/* Whether the key is that of the first certificate; false also if one cannot be read. */
bool pem_key_fits(const char *certificates, const char *private_key);

EVP_PKEY *pem_first_key(const char *text);     /* the caller's; NULL: there is none */
X509 *pem_first_certificate(const char *text); /* the caller's; NULL: there is none */
/* In their order, up to one that is broken; the caller's, who frees each. */
STACK_OF(X509) * pem_all_certificates(const char *text);
char *pem_of_certificate(X509 *certificate);
char *pem_of_key(EVP_PKEY *key);
char *pem_of_request(X509_REQ *request);
void pem_wipe(char **text); /* a private key; NULL is fine */

#endif
