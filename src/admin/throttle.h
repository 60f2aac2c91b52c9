/*
 * Slows down who guesses: after THROTTLE_FREE failures within a minute a name has to wait, 2 s
 * first, and twice as long with each failure more, up to a minute. Names are accounts and
 * addresses alike.
 *
 * Bounded without anybody being able to push out another: a name has one of THROTTLE_PLACES, by a
 * hash with a key that nobody knows. Two names that share one wait for each other; a name that is
 * nobody's waits as one that is somebody's does. No I/O, no clock.
 */
#ifndef ADMIN_THROTTLE_H
#define ADMIN_THROTTLE_H

#include <stdint.h>

#define THROTTLE_FREE 5
#define THROTTLE_PLACES 4096
#define THROTTLE_KEY_BYTES 16

struct throttle;

/* The key is random; it is copied. */
struct throttle *throttle_create(const unsigned char key[THROTTLE_KEY_BYTES]);
void throttle_destroy(struct throttle **throttle);

/* For how many seconds yet the name has to wait; 0: it may try. */
unsigned throttle_wait_s(const struct throttle *throttle, const char *name, uint64_t now_ms);
void throttle_fail(struct throttle *throttle, const char *name, uint64_t now_ms);
void throttle_forget(struct throttle *throttle, const char *name); /* it was the right one */

#endif
