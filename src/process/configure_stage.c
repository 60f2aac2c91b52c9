#include "process/configure_stage.h"

#include "base/alloc.h"
#include "base/log.h"
#include "ipc/snapshot.h"
#include "ipc/wire.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void on_changed(void *arg, unsigned seen_by)
{
	struct stage *stage = arg;

	stage->changed |= seen_by;
}

int stage_set_up(void **state, const struct role *role)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));
	char *why = NULL;

	strcpy(stage->folder, "/tmp/sallyport-configure-XXXXXX");
	if (!mkdtemp(stage->folder))
		return -1;
	stage->log = memfd_create("log", 0);
	log_to(stage->log);
	stage->bootstrap = (struct bootstrap){ .role = role,
					       .name = xstrdup("node-a"),
					       .data = xstrdup(stage->folder) };
	if (!node_open(&stage->node, &stage->bootstrap, &why))
		fail_msg("%s", why);
	stage->configure = (struct configure){ &stage->node, on_changed, stage };
	*state = stage;
	return 0;
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *at)
{
	return remove(name);
}

int stage_tear_down(void **state)
{
	struct stage *stage = *state;
	int removed;

	node_close(&stage->node);
	bootstrap_finish(&stage->bootstrap);
	removed = nftw(stage->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	close(stage->log);
	free(stage->candidate);
	free(stage->text);
	free(stage);
	return removed;
}

char *stage_lines(struct slice bytes)
{
	struct buffer text = { 0 };
	struct snapshot_record record;
	const char *why;
	struct snapshot *snapshot = snapshot_read(bytes, &why);
	size_t place = 0;

	assert_non_null(snapshot);
	buffer_append_text(&text, "\n");
	while (snapshot_next(snapshot, &place, &record)) {
		for (size_t i = 0; i < record.count; i++)
			buffer_printf(&text, "%s%.*s", i ? "|" : "", SLICE_ARGS(record.fields[i]));
		buffer_append_text(&text, "\n");
	}
	snapshot_destroy(&snapshot);
	return buffer_take_text(&text);
}

int stage_ask(struct stage *stage, const char *const *words)
{
	struct buffer request = { 0 }, reply = { 0 };
	struct configure_try try;
	struct wire in;
	size_t count = 0;
	int status;

	while (words[count])
		count++;
	wire_put_u16(&request, (uint16_t)(count + 1));
	wire_put_text(&request, words[0]);
	wire_put_text(&request, "root");
	for (size_t i = 1; i < count; i++)
		wire_put_text(&request, words[i]);
	stage->changed = 0;
	stage->tried = false;
	configure(&stage->configure, (struct slice){ buffer_data(&request), buffer_len(&request) },
		  &reply, &try);
	if (try.wanted) {
		stage->tried = true;
		free(stage->candidate);
		stage->candidate = stage_lines(
			(struct slice){ buffer_data(&try.snapshot), buffer_len(&try.snapshot) });
		configure_tried(&try, slice_of("traffic: well"), &reply);
	}
	in = wire_read((struct slice){ buffer_data(&reply), buffer_len(&reply) });
	status = wire_get_u8(&in);
	free(stage->text);
	stage->text = wire_get_text(&in, SIZE_MAX);
	assert_true(wire_is_done(&in));
	buffer_finish(&request);
	buffer_finish(&reply);
	return status;
}

bool stage_logged(const struct stage *stage, const char *text)
{
	static char lines[262144];
	ssize_t len = pread(stage->log, lines, sizeof(lines) - 1, 0);

	assert_true(len >= 0 && len < (ssize_t)sizeof(lines) - 1);
	lines[len] = '\0';
	return strstr(lines, text) != NULL;
}
