/*
 * The gateway of one worker: its router with the ports that the settings ask for, plugged together.
 * It has a port to the world if there is a listener for s2s (that is what makes a node an edge),
 * a link for each node in the settings, and an attachment for each server with users.
 */
#ifndef ROUTER_GATEWAY_H
#define ROUTER_GATEWAY_H

#include "ipc/startup.h"
#include "net/loop.h"

struct gateway;

/* `startup`: its listeners "s2s" and "link" (the descriptors stay open as long as the gateway
 * lives), its snapshot, its channel to the resolver, which is taken. NULL and *why on settings
 * that cannot be used. */
struct gateway *gateway_create(struct loop *loop, struct startup *startup, const char **why);
void gateway_destroy(struct gateway **gateway);

/* New settings; false and *why: they cannot be used, and those in force stay. */
bool gateway_apply(struct gateway *gateway, const struct snapshot *snapshot, const char **why);
void gateway_set_resolver(struct gateway *gateway, int fd); /* takes the descriptor */
/* Closes everything in order, then calls done(arg) once, after timeouts.shutdown at the latest. */
void gateway_shut_down(struct gateway *gateway, void (*done)(void *arg), void *arg);

/* Bytes of a snapshot (ipc/snapshot.h) with the records of `sallyport status`. */
void gateway_status(struct gateway *gateway, struct buffer *out);
/* `words`: "retry" DOMAIN, "close" XCODER, "reset" NODE. False: refused; *answer for people, to be
 * freed. */
bool gateway_command(struct gateway *gateway, const struct slice *words, size_t count,
		     char **answer);

#endif
