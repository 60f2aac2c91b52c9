#include "ipc/snapshot.h"

#include "base/alloc.h"
#include "ipc/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void sample(struct buffer *out)
{
	snapshot_begin(out, 7, 42);
	snapshot_add_text(out, "federation.enabled", "on");
	snapshot_add_text(out, "federation.allow_list", "example.net");
	snapshot_add_text(out, "federation.allow_list", "example.org");
	snapshot_add_int(out, "timeouts.dns", 5);
	snapshot_add(out, &(struct snapshot_record){ 4,
						     { slice_of("node"), slice_of("core-a"),
						       slice_of("core"), slice_of("9f86d081") } });
	snapshot_add_text(out, "empty", "");
}

static void settings_cross_as_they_were(void **state)
{
	struct buffer out = { 0 };
	struct snapshot_record record;
	struct snapshot *snapshot;
	const char *why = NULL;
	size_t place = 0;
	int fd;

	sample(&out);
	fd = snapshot_seal(&out, &why);
	assert_true(fd >= 0);
	snapshot = snapshot_open(fd, &why);
	close(fd);
	assert_non_null(snapshot);
	assert_int_equal(snapshot_generation(snapshot), 7);
	assert_int_equal(snapshot_revision(snapshot), 42);
	assert_true(snapshot_flag(snapshot, "federation.enabled", false));
	assert_true(snapshot_flag(snapshot, "federation.absent", true));
	assert_int_equal(snapshot_int(snapshot, "timeouts.dns", 1), 5);
	assert_int_equal(snapshot_int(snapshot, "node", 1), 1);
	assert_true(snapshot_each(snapshot, "federation.allow_list", &place, &record));
	assert_true(slice_is(record.fields[1], "example.net"));
	assert_true(snapshot_each(snapshot, "federation.allow_list", &place, &record));
	assert_true(slice_is(record.fields[1], "example.org"));
	assert_false(snapshot_each(snapshot, "federation.allow_list", &place, &record));
	place = 0;
	assert_true(snapshot_each(snapshot, "node", &place, &record));
	assert_int_equal(record.count, 4);
	assert_true(slice_is(record.fields[3], "9f86d081"));
	assert_null(record.fields[4].data);
	assert_true(slice_is(snapshot_text(snapshot, "empty"), ""));
	assert_null(snapshot_text(snapshot, "absent").data);
	snapshot_destroy(&snapshot);
}

static void a_broken_snapshot_is_refused_whole(void **state)
{
	struct buffer out = { 0 };
	const char *why;
	size_t len;

	sample(&out);
	len = buffer_len(&out);
	for (size_t cut = 0; cut <= len; cut++) {
		char *exact = xmalloc(cut + 1);
		struct snapshot *snapshot;
		struct snapshot_record record;
		size_t place = 0;

		memcpy(exact, buffer_data(&out), cut);
		why = NULL;
		snapshot = snapshot_read((struct slice){ exact, cut }, &why);
		assert_true(snapshot || why);
		if (snapshot) { /* only at the end of a record */
			while (snapshot_next(snapshot, &place, &record))
				;
			assert_true(place + 24 == cut);
		}
		snapshot_destroy(&snapshot);
		free(exact);
	}
	buffer_finish(&out);
}

static void only_what_nobody_can_change_is_read(void **state)
{
	struct buffer out = { 0 };
	const char *why = NULL;
	FILE *file = tmpfile();
	int fd;

	sample(&out);
	fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(fd, buffer_data(&out), buffer_len(&out)), buffer_len(&out));
	assert_null(snapshot_open(fd, &why));
	assert_string_equal(why, "not a sealed memfd");
	close(fd);
	assert_null(snapshot_open(fileno(file), &why));
	fclose(file);
	fd = snapshot_seal(&out, &why);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 1), -1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_cross_as_they_were),
		cmocka_unit_test(a_broken_snapshot_is_refused_whole),
		cmocka_unit_test(only_what_nobody_can_change_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
