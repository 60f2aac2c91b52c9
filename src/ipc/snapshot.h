/*
 * The settings as one process sees them: an immutable list of records in a sealed memfd.
 *
 * A record is a row of fields, all bytes; the first is its name. A list is the same name again:
 * ("federation.allow_list", "example.net") once for each entry. Layout (ipc/wire.h): the eight
 * bytes "SALLYPT1", u64 generation, u64 revision; then for each record u8 count and its slices.
 * Opening checks the seals, the size and every record, so reading can't fail afterwards.
 */
#ifndef IPC_SNAPSHOT_H
#define IPC_SNAPSHOT_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define SNAPSHOT_FIELDS_MAX 16
#define SNAPSHOT_BYTES_MAX ((size_t)64 << 20) /* certificates and lists of 100,000 domains fit */

struct snapshot_record {
	size_t count;
	struct slice fields[SNAPSHOT_FIELDS_MAX]; /* fields past count are absent */
};

/* Writing: begin, add, seal. The buffer is the caller's and starts empty. */
void snapshot_begin(struct buffer *out, uint64_t generation, uint64_t revision);
void snapshot_add(struct buffer *out, const struct snapshot_record *record);
void snapshot_add_text(struct buffer *out, const char *name, const char *value);
void snapshot_add_int(struct buffer *out, const char *name, int64_t value);
/* A sealed memfd with the buffer's bytes, and the buffer emptied; -1 and *why on failure. */
int snapshot_seal(struct buffer *out, const char **why);

struct snapshot;
struct snapshot *snapshot_open(int fd, const char **why); /* the descriptor stays the caller's */
/* For tests and fuzzing: the bytes must live as long as the snapshot. */
struct snapshot *snapshot_read(struct slice bytes, const char **why);
void snapshot_destroy(struct snapshot **snapshot);

uint64_t snapshot_generation(const struct snapshot *snapshot); /* of this process's snapshots */
uint64_t snapshot_revision(const struct snapshot *snapshot);   /* of the settings */

/* Walks all records, or those of one name: start with *place = 0; false at the end. */
bool snapshot_next(const struct snapshot *snapshot, size_t *place, struct snapshot_record *record);
bool snapshot_each(const struct snapshot *snapshot, const char *name, size_t *place,
		   struct snapshot_record *record);

/* The second field of the first record of that name; absent (data NULL) if there is none. */
struct slice snapshot_text(const struct snapshot *snapshot, const char *name);
int64_t snapshot_int(const struct snapshot *snapshot, const char *name, int64_t otherwise);
bool snapshot_flag(const struct snapshot *snapshot, const char *name, bool otherwise); /* on/off */

#endif
