/*
 * The documents that nodes tell each other in settings (provision/replica.h), made from a snapshot
 * of ours, and read into the words of a request to control. Who tells what follows from the two
 * roles, in one table:
 *
 *	edge to core	{"federation":{"enabled":true,"security_mode":"tls-required",
 *			 "privacy_mode":"allow-list","use_static_routes":false,
 *			 "secret":"1a2b3c4d"}}		the fingerprint, never the secret
 *	core to edge	{"domains":[{"domain":"a.example","federated":true}],
 *			 "secrets":[{"edge":"edge-b","secret":"1a2b3c4d"}]}   of all its edges
 *	core to home	{"domains":[...]}	those that this home node serves
 *
 * No I/O.
 */
#ifndef PROVISION_DOCUMENTS_H
#define PROVISION_DOCUMENTS_H

#include "ipc/snapshot.h"

#include <jansson.h>

/* The record that an edge's snapshot has for it: the fingerprint of its dialback secret. */
#define DOCUMENTS_FINGERPRINT "secret.fingerprint"

/* What we tell `other`; NULL: nothing. The caller's. */
json_t *document_make(const struct snapshot *snapshot, const char *other, const char *other_role);

/*
 * Verb and arguments for control (MESSAGE_CONFIG without the author), terminated by NULL; freed
 * with document_free_words:
 *	edge-told EDGE REVISION on|off FINGERPRINT
 *	domains-told CORE REVISION "DOMAIN on|off"...
 * NULL and *why: the document is not as it should be, or that role has nothing to tell us.
 */
char **document_read(const json_t *document, const char *own_role, const char *other,
		     const char *other_role, uint64_t revision, const char **why);
void document_free_words(char **words);

/* The secrets of a core's document, for who compares them with the own one. */
typedef void document_secret_fn(void *arg, const char *edge, const char *fingerprint);
void document_each_secret(const json_t *document, document_secret_fn *take, void *arg);

#endif
