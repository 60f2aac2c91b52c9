/*
 * The code that `sallyport pair` prints and `sallyport join` takes: where the node is, which key it
 * has, and a secret that is good once. One word without characters that a shell or a chat changes:
 *
 *	edge-a@192.0.2.1:2222/SSH-PIN-IN-BASE64URL/SECRET-IN-BASE32
 *
 * No I/O.
 */
#ifndef PROVISION_CODE_H
#define PROVISION_CODE_H

#include <stdbool.h>
#include <stdint.h>

#define CODE_SECRET_BYTES 16 /* 128 random bits */
#define CODE_SECRET_CHARS 26 /* in RFC 4648 base32, lower case, without padding */
#define CODE_NODE_BYTES 63
#define CODE_TEXT_BYTES 256

struct pairing_code {
	char node[CODE_NODE_BYTES + 1];
	char address[64]; /* "192.0.2.1:2222", "[2001:db8::1]:2222" */
	char pin[64 + 1]; /* of its SSH host key, lowercase hex (net/ssh.h) */
	char secret[CODE_SECRET_CHARS + 1];
};

void code_secret(const unsigned char random[CODE_SECRET_BYTES], char secret[CODE_SECRET_CHARS + 1]);
void code_write(const struct pairing_code *code, char text[CODE_TEXT_BYTES]);
/* False and *why, which completes "the code ...": "is cut off: ...". */
bool code_read(const char *text, struct pairing_code *code, const char **why);

#endif
