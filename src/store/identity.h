/*
 * Who a node is towards the other nodes: a self-signed certificate that only its pin matters of,
 * the SHA-256 of its public key. Made at the first start.
 */
#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include <stdbool.h>

#define IDENTITY_PIN_DIGITS 64

/* Self-signed, for links and for the AXL service alike. Both in PEM, the caller frees them; false:
 * OpenSSL could not. */
bool identity_make(const char *node, char **certificate, char **private_key);
/* Of the first certificate in the text; false: there is none. */
bool identity_pin(const char *certificate, char pin[IDENTITY_PIN_DIGITS + 1]);

/* Our key in SSH, Ed25519 in PKCS #8; the caller wipes it (pem.h). */
bool identity_make_ssh(char **private_key);
/* What `ssh-keygen -l` calls its SHA-256 fingerprint, in hex; false: it is no Ed25519 key. */
bool identity_ssh_pin(const char *private_key, char pin[IDENTITY_PIN_DIGITS + 1]);

#endif
