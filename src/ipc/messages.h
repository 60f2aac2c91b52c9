/*
 * The processes of a node, which pairs of them may talk, and what each may say to whom: one
 * table. A channel refuses, on both ends, whatever the table does not hold.
 */
#ifndef IPC_MESSAGES_H
#define IPC_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

enum process {
	PROCESS_CONTROL,
	PROCESS_TRAFFIC,
	PROCESS_MANAGE,
	PROCESS_RESOLVER,
	PROCESS_CAPTURE,
	PROCESS_COUNT,
};

enum message_type {
	/* control to a child, at its start in this order, then whenever they change */
	MESSAGE_SNAPSHOT = 1, /* fd: a sealed settings snapshot (ipc/snapshot.h) */
	MESSAGE_LISTENER,     /* fd: a listening socket; body: text, the service's name */
	MESSAGE_PEER,	      /* fd: a channel to another child; body: u8, its enum process */
	MESSAGE_START,	      /* that was all; enter the sandbox and begin */
	MESSAGE_SHUTDOWN,     /* finish what is open and exit */

	MESSAGE_READY, /* child to control: in the sandbox, serving */

	MESSAGE_QUERY,	/* body: see net/dns.c */
	MESSAGE_ANSWER, /* the same request id */

	/* manage asks, the reply carries the same request id; bodies are the faces' own */
	MESSAGE_STATUS, /* body: empty, or u8 1: brief, without streams and queues */
	MESSAGE_STATUS_REPLY,
	MESSAGE_CONFIG,	      /* body: u16 count, then that many slices: verb and arguments */
	MESSAGE_CONFIG_REPLY, /* body: u8 status (0: done), slice text */
	MESSAGE_COMMAND,      /* as CONFIG, for what runs: reset a link, close a stream */
	MESSAGE_COMMAND_REPLY,

	/* control asks traffic what other settings would do to what is open; the text is for people
	 */
	MESSAGE_TRY,	   /* fd: a snapshot, not taken into use */
	MESSAGE_TRY_REPLY, /* body: slice text */

	/* traffic to control, at its start and at each change: the table that its router works by.
	 * Body: u64 settings revision, u16 count, then that many slices, each a cp_id */
	MESSAGE_LOADED,

	/* control to manage: u64, the number of the first line; then lines of the log as they were
	 * written, each ended by a newline. At manage's start those that control still has
	 * (settings events.keep). Nobody answers. */
	MESSAGE_EVENT,

	/* Captures; bodies: see process/capture_job.h. control to capture, once, with the file that
	 * it writes (a memfd of control's). capture to control: how far it is. control to capture:
	 * end now. */
	MESSAGE_CAPTURE,
	MESSAGE_CAPTURE_STATE,
	MESSAGE_CAPTURE_END,
	/* traffic to capture: one line of SSLKEYLOGFILE, of a stream that was chosen */
	MESSAGE_SECRET,
	/* control to traffic: which streams' secrets go to capture. Body: u8 on, slice domain
	 * (empty: all) */
	MESSAGE_SECRETS,
	MESSAGE_COUNT,
};

const char *process_name(enum process process);	   /* "traffic" */
const char *process_program(enum process process); /* "sallyport-traffic" */
bool process_pair_may_talk(enum process a, enum process b);

const char *message_name(uint16_t type); /* "unknown" for what is not in the table */
bool message_may_go(uint16_t type, enum process from, enum process to);
/* Whether such a message must carry a descriptor; it must not if it need not. */
bool message_has_fd(uint16_t type);

#endif
