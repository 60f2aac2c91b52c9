#include "ctl/save.h"

#include "base/alloc.h"
#include "base/base64.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct save {
	char *path;
	int fd;
	char *failure; /* NULL: none */
};

struct save *save_open(const char *path, char **why)
{
	struct save *save;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		*why = errno == EEXIST
			       ? xasprintf("%s is there already, and is not written over", path)
			       : xasprintf("cannot make %s: %s", path, strerror(errno));
		return NULL;
	}
	save = xcalloc(1, sizeof(*save));
	save->path = xstrdup(path);
	save->fd = fd;
	return save;
}

static bool fail(struct save *save, const char *what)
{
	if (!save->failure)
		save->failure = xasprintf("cannot write %s: %s", save->path, what);
	return false;
}

static bool write_all(struct save *save, struct buffer *bytes)
{
	while (buffer_len(bytes)) {
		ssize_t n = write(save->fd, buffer_data(bytes), buffer_len(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(save, strerror(errno));
		buffer_consume(bytes, (size_t)n);
	}
	return true;
}

/* One without data says only that it takes a while. */
bool save_piece(void *arg, const struct reply *piece)
{
	struct save *save = arg;
	const json_t *base64 = json_object_get(piece->data, "base64");
	struct buffer bytes = { 0 };
	bool written;

	if (!piece->data)
		return true;
	if (!json_is_string(base64) ||
	    !base64_decode(&bytes,
			   (struct slice){ json_string_value(base64), json_string_length(base64) }))
		return fail(save, "the node sent what is no piece of a file");
	written = write_all(save, &bytes);
	buffer_finish(&bytes);
	return written;
}

bool save_close(struct save **save_ref, bool whole, char **why)
{
	struct save *save = *save_ref;
	bool kept;

	*save_ref = NULL;
	if (close(save->fd) < 0)
		fail(save, strerror(errno));
	kept = whole && !save->failure;
	if (!kept)
		unlink(save->path);
	*why = save->failure;
	free(save->path);
	free(save);
	return kept;
}
