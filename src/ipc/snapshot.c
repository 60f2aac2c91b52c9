#include "ipc/snapshot.h"

#include "base/alloc.h"
#include "ipc/memfd.h"
#include "ipc/wire.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define MAGIC "SALLYPT1"

struct snapshot {
	struct slice mapped;  /* to unmap; absent when the bytes are the caller's */
	struct slice records; /* all of them whole: checked when it was opened */
	uint64_t generation, revision;
};

void snapshot_begin(struct buffer *out, uint64_t generation, uint64_t revision)
{
	buffer_append_text(out, MAGIC);
	wire_put_u64(out, generation);
	wire_put_u64(out, revision);
}

void snapshot_add(struct buffer *out, const struct snapshot_record *record)
{
	assert(record->count > 0 && record->count <= SNAPSHOT_FIELDS_MAX);
	wire_put_u8(out, (uint8_t)record->count);
	for (size_t i = 0; i < record->count; i++)
		wire_put_slice(out, record->fields[i]);
}

void snapshot_add_text(struct buffer *out, const char *name, const char *value)
{
	snapshot_add(out, &(struct snapshot_record){ 2, { slice_of(name), slice_of(value) } });
}

void snapshot_add_int(struct buffer *out, const char *name, int64_t value)
{
	char *text = xasprintf("%" PRId64, value);

	snapshot_add_text(out, name, text);
	free(text);
}

int snapshot_seal(struct buffer *out, const char **why)
{
	struct slice bytes = { buffer_data(out), buffer_len(out) };
	int fd = -1;

	if (bytes.len > SNAPSHOT_BYTES_MAX)
		*why = "larger than a snapshot may be";
	else if ((fd = memfd_seal("snapshot", bytes)) < 0)
		*why = strerror(errno);
	buffer_finish(out);
	return fd;
}

static bool read_record(struct wire *in, struct snapshot_record *record)
{
	*record = (struct snapshot_record){ .count = wire_get_u8(in) };
	if (record->count == 0 || record->count > SNAPSHOT_FIELDS_MAX)
		return false;
	for (size_t i = 0; i < record->count; i++)
		record->fields[i] = wire_get_slice(in);
	return !in->failed;
}

struct snapshot *snapshot_read(struct slice bytes, const char **why)
{
	struct snapshot *snapshot;
	struct snapshot_record record;
	struct wire in = wire_read(bytes);

	if (bytes.len < strlen(MAGIC) || memcmp(bytes.data, MAGIC, strlen(MAGIC)) != 0) {
		*why = "not a snapshot of this release";
		return NULL;
	}
	in = wire_read((struct slice){ bytes.data + strlen(MAGIC), bytes.len - strlen(MAGIC) });
	snapshot = xcalloc(1, sizeof(*snapshot));
	snapshot->generation = wire_get_u64(&in);
	snapshot->revision = wire_get_u64(&in);
	snapshot->records = in.left;
	while (!in.failed && in.left.len) {
		if (!read_record(&in, &record))
			in.failed = true;
	}
	if (in.failed) {
		*why = "a record is broken";
		free(snapshot);
		return NULL;
	}
	return snapshot;
}

struct snapshot *snapshot_open(int fd, const char **why)
{
	struct snapshot *snapshot;
	struct slice bytes;

	if (!memfd_map(fd, SNAPSHOT_BYTES_MAX, &bytes, why))
		return NULL;
	snapshot = snapshot_read(bytes, why);
	if (snapshot)
		snapshot->mapped = bytes;
	else
		memfd_unmap(bytes);
	return snapshot;
}

void snapshot_destroy(struct snapshot **snapshot)
{
	if (!*snapshot)
		return;
	memfd_unmap((*snapshot)->mapped);
	free(*snapshot);
	*snapshot = NULL;
}

uint64_t snapshot_generation(const struct snapshot *snapshot)
{
	return snapshot->generation;
}

uint64_t snapshot_revision(const struct snapshot *snapshot)
{
	return snapshot->revision;
}

bool snapshot_next(const struct snapshot *snapshot, size_t *place, struct snapshot_record *record)
{
	struct wire in;

	if (*place >= snapshot->records.len)
		return false;
	in = wire_read(
		(struct slice){ snapshot->records.data + *place, snapshot->records.len - *place });
	if (!read_record(&in, record))
		return false;
	*place = snapshot->records.len - in.left.len;
	return true;
}

bool snapshot_each(const struct snapshot *snapshot, const char *name, size_t *place,
		   struct snapshot_record *record)
{
	while (snapshot_next(snapshot, place, record)) {
		if (slice_is(record->fields[0], name))
			return true;
	}
	return false;
}

struct slice snapshot_text(const struct snapshot *snapshot, const char *name)
{
	struct snapshot_record record;
	size_t place = 0;

	if (!snapshot_each(snapshot, name, &place, &record))
		return (struct slice){ 0 };
	return record.fields[1];
}

int64_t snapshot_int(const struct snapshot *snapshot, const char *name, int64_t otherwise)
{
	struct slice text = snapshot_text(snapshot, name);
	char digits[24], *end;
	int64_t value;

	if (!text.len || text.len >= sizeof(digits))
		return otherwise;
	memcpy(digits, text.data, text.len);
	digits[text.len] = '\0';
	errno = 0;
	value = strtoll(digits, &end, 10);
	return errno || *end ? otherwise : value;
}

bool snapshot_flag(const struct snapshot *snapshot, const char *name, bool otherwise)
{
	struct slice text = snapshot_text(snapshot, name);

	if (slice_is(text, "on"))
		return true;
	if (slice_is(text, "off"))
		return false;
	return otherwise;
}
