/*
 * What people ask control to show or change (MESSAGE_CONFIG): verbs over the settings, each change
 * checked whole, stored as one revision, logged, and told to whom it concerns. Answers are plain
 * text, a line for each value; secrets only ever appear as fingerprints.
 *
 * Verbs of people are those of ctl/grammar.c. Those of manage itself, for what other nodes and AXL
 * say, take the words that provision/documents.h, axl/service.h and axl/client.h name:
 *
 *	edge-told EDGE REVISION on|off FINGERPRINT	row of `edges`; federation.enabled of a
 *							core is on while that of any paired edge is
 *	domains-told CORE REVISION "DOMAIN on|off"...	`domains`: on an edge those of that core
 *(their node is it), on a home node all node-pair NAME ROLE ADDRESS LINK-PIN PROVISION-ADDRESS
 *SSH-PIN	as node-add; replaces it home-server-put NAME HOST PORT USER PASSWORD VERIFY PIN
 *likewise axl-user-put NAME PASSWORD ROLES				likewise realms-written
 *REALM...						axl.realms rows-set "PKID CP_ID"...
 *xmpps2snodes account-password NAME HASH				likewise admin.accounts
 */
#ifndef PROCESS_CONFIGURE_H
#define PROCESS_CONFIGURE_H

#include "base/buffer.h"
#include "process/node.h"
#include "process/notices.h"

struct configure {
	struct node *node;
	/* Settings were changed that these processes see (SEEN_BY_... bits). */
	void (*changed)(void *arg, unsigned seen_by);
	void *arg;
	struct notices *notices; /* NULL: there are none */
};

/* A dry run whose last word is traffic's: what other settings would do to what is open. */
struct configure_try {
	bool wanted;
	struct buffer text;	/* the answer up to there */
	struct buffer snapshot; /* for MESSAGE_TRY */
};

/* `request` is the body of MESSAGE_CONFIG; appends that of the reply, unless *try is wanted then:
 * its buffers are the caller's, who asks traffic and makes the reply by configure_tried. */
void configure(const struct configure *configure, struct slice request, struct buffer *reply,
	       struct configure_try *try);
/* `effects` is what traffic said, or why it said nothing. Finishes *try. */
void configure_tried(struct configure_try *try, struct slice effects, struct buffer *reply);

#endif
