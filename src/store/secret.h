/* Secrets: made at random, and shown to people only as a fingerprint. */
#ifndef STORE_SECRET_H
#define STORE_SECRET_H

#include <stdbool.h>

#define SECRET_DIGITS 64	    /* 256 bits in hex */
#define SECRET_FINGERPRINT_DIGITS 8 /* enough to compare by eye, too few to guess from */

bool secret_make(char secret[SECRET_DIGITS + 1]); /* false: no randomness */
/* The same for the same text on every node. */
void secret_fingerprint(const char *text, char fingerprint[SECRET_FINGERPRINT_DIGITS + 1]);

#endif
