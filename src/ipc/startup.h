/*
 * What control hands a child at its start: settings, listeners, channels to other children.
 * Read in one go, before the sandbox closes and before any byte from outside.
 */
#ifndef IPC_STARTUP_H
#define IPC_STARTUP_H

#include "ipc/channel.h"
#include "ipc/snapshot.h"

#define STARTUP_LISTENERS_MAX 64
#define STARTUP_NAME_BYTES 32
#define STARTUP_TIMEOUT_MS 10000 /* control writes all of it before the child runs */

struct startup {
	struct channel *control;
	struct snapshot *snapshot;
	struct {
		char name[STARTUP_NAME_BYTES + 1]; /* "s2s", "link", "admin", ... */
		int fd;
	} listeners[STARTUP_LISTENERS_MAX];
	size_t listeners_count;
	int peers[PROCESS_COUNT]; /* descriptors of channels; -1: none (yet) */
};

/*
 * The channel is CHANNEL_CONTROL_FD. All in *startup is then the caller's. From here on SIGINT and
 * SIGTERM are ignored: they are control's, which says when to end.
 */
bool startup_receive(struct startup *startup, enum process self, const char **why);
/* The node's name and the levels of the log by the settings; info where nothing is said. Done by
 * startup_receive, and to be done with each later snapshot. */
void startup_apply_log(const struct snapshot *snapshot, enum process self);
/* As the user that the settings name (ipc/sandbox.h). */
bool startup_enter_sandbox(const struct snapshot *snapshot, enum process self, const char **why);
/* The sandbox is entered and everything is served. */
void startup_ready(struct channel *control);

#endif
