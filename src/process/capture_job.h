/*
 * What control and the capture process say to each other. A capture is one process's whole life:
 * it is started, told its job, says that it has begun, how far it is, and how it ended.
 *
 * Bodies:
 *	MESSAGE_CAPTURE		slice interface, u64 packets, u64 bytes, u32 snap, u32 seconds,
 *				u16 count, that many u16 ports
 *	MESSAGE_CAPTURE_STATE	u8 state, u64 packets, u64 bytes, u64 dropped, u64 start, slice why
 *
 * The file's first CAPTURE_HEAD_BYTES are kept for what must stand before the packets and is known
 * last, the secrets: what was written begins at `start`. No I/O.
 */
#ifndef PROCESS_CAPTURE_JOB_H
#define PROCESS_CAPTURE_JOB_H

#include "base/buffer.h"

#include <stdbool.h>

#define CAPTURE_INTERFACE_BYTES 15 /* of a name, as the kernel has it */
#define CAPTURE_PORTS_MAX 256
#define CAPTURE_SNAP_MAX 262144
#define CAPTURE_WHY_BYTES 240
#define CAPTURE_SECRETS_BYTES ((size_t)8 << 20) /* a TLS 1.3 session has 900 */
#define CAPTURE_HEAD_BYTES (CAPTURE_SECRETS_BYTES + 4096)

struct capture_job {
	char interface[CAPTURE_INTERFACE_BYTES + 1]; /* "any": all */
	uint64_t packets, bytes;		     /* it ends after so many */
	uint32_t snap;				     /* bytes kept of each packet */
	uint32_t seconds;			     /* and after so long */
	size_t ports_count;			     /* 0: packets of all kinds */
	uint16_t ports[CAPTURE_PORTS_MAX];	     /* of TCP and UDP, either end */
};

void capture_job_put(struct buffer *out, const struct capture_job *job);
bool capture_job_get(struct slice body, struct capture_job *job);

enum capture_state { CAPTURE_RUNNING, CAPTURE_ENDED, CAPTURE_FAILED };

struct capture_report {
	enum capture_state state;
	uint64_t packets, bytes; /* written; bytes: of the file, when it has ended */
	uint64_t dropped;	 /* packets that the kernel could not keep for us */
	uint64_t start;
	char why[CAPTURE_WHY_BYTES + 1]; /* it ended or failed */
};

void capture_report_put(struct buffer *out, const struct capture_report *report);
bool capture_report_get(struct slice body, struct capture_report *report);

#endif
