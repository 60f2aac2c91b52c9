/*
 * What people ask control to show or change (MESSAGE_CONFIG): verbs over the settings, each change
 * checked whole, stored as one revision, logged, and told to whom it concerns. Answers are plain
 * text, a line for each value; secrets only ever appear as fingerprints.
 */
#ifndef PROCESS_CONFIGURE_H
#define PROCESS_CONFIGURE_H

#include "base/buffer.h"
#include "process/node.h"

struct configure {
	struct node *node;
	/* Settings were changed that these processes see (SEEN_BY_... bits). */
	void (*changed)(void *arg, unsigned seen_by);
	void *arg;
};

/* `request` is the body of MESSAGE_CONFIG; appends that of the reply. */
void configure(const struct configure *configure, struct slice request, struct buffer *reply);

#endif
