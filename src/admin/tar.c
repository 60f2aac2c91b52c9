#include "admin/tar.h"

#include "base/alloc.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

struct tar {
	struct archive *archive;
	struct archive_entry *entry;
	struct buffer out;
	time_t now;
};

static la_ssize_t on_bytes(struct archive *archive, void *arg, const void *bytes, size_t len)
{
	buffer_append(&((struct tar *)arg)->out, bytes, len);
	return (la_ssize_t)len;
}

/* In form ustar, whose names are bytes: no locale is asked. */
struct tar *tar_create(time_t now)
{
	struct tar *tar = xcalloc(1, sizeof(*tar));

	tar->now = now;
	tar->archive = archive_write_new();
	tar->entry = archive_entry_new();
	if (!tar->archive || !tar->entry)
		abort();
	archive_write_add_filter_gzip(tar->archive);
	archive_write_set_format_ustar(tar->archive);
	archive_write_set_bytes_in_last_block(tar->archive, 1);
	archive_write_open(tar->archive, tar, NULL, on_bytes, NULL);
	return tar;
}

void tar_destroy(struct tar **tar_ref)
{
	struct tar *tar = *tar_ref;

	if (!tar)
		return;
	*tar_ref = NULL;
	archive_entry_free(tar->entry);
	archive_write_fail(tar->archive); /* what is not ended is not ended now */
	archive_write_free(tar->archive);
	buffer_finish(&tar->out);
	free(tar);
}

static bool succeeded(const struct tar *tar, bool done, const char **why)
{
	if (!done)
		*why = archive_error_string(tar->archive);
	if (!done && !*why)
		*why = "the archive cannot be written";
	return done;
}

bool tar_file(struct tar *tar, const char *name, uint64_t size, const char **why)
{
	archive_entry_clear(tar->entry);
	archive_entry_set_pathname(tar->entry, name);
	archive_entry_set_size(tar->entry, (la_int64_t)size);
	archive_entry_set_filetype(tar->entry, AE_IFREG);
	archive_entry_set_perm(tar->entry, 0600);
	archive_entry_set_mtime(tar->entry, tar->now, 0);
	return succeeded(tar, archive_write_header(tar->archive, tar->entry) == ARCHIVE_OK, why);
}

bool tar_bytes(struct tar *tar, struct slice bytes, const char **why)
{
	return succeeded(tar,
			 !bytes.len || archive_write_data(tar->archive, bytes.data, bytes.len) ==
					       (la_ssize_t)bytes.len,
			 why);
}

bool tar_end(struct tar *tar, const char **why)
{
	return succeeded(tar, archive_write_close(tar->archive) == ARCHIVE_OK, why);
}

struct buffer *tar_output(struct tar *tar)
{
	return &tar->out;
}
