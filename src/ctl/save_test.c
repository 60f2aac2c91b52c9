#include "ctl/save.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sallyport-save-XXXXXX";

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static bool give(struct save *save, const char *json)
{
	struct reply reply = { .more = true, .data = json_loads(json, 0, NULL) };
	bool taken = save_piece(save, &reply);

	json_decref(reply.data);
	return taken;
}

static void pieces_become_a_file_for_its_owner_alone(void **state)
{
	char *path = path_of("whole"), *why = NULL, bytes[16] = "";
	struct save *save = save_open(path, &why);
	struct stat st;
	FILE *file;

	assert_non_null(save);
	assert_true(save_piece(save, &(struct reply){ .more = true }));
	assert_true(give(save, "{\"base64\":\"Zm9v\",\"size\":6}"));
	assert_true(give(save, "{\"base64\":\"YmFy\",\"size\":6}"));
	assert_true(save_close(&save, true, &why));
	assert_null(save);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	file = fopen(path, "re");
	assert_int_equal(fread(bytes, 1, sizeof(bytes), file), 6);
	assert_string_equal(bytes, "foobar");
	fclose(file);
	unlink(path);
	free(path);
}

static void one_that_is_there_is_not_written_over(void **state)
{
	char *path = path_of("there"), *why = NULL;
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	close(fd);
	assert_null(save_open(path, &why));
	assert_non_null(strstr(why, "is there already"));
	free(why);
	unlink(path);
	free(path);
}

static void one_that_does_not_come_whole_is_deleted(void **state)
{
	static const struct {
		const char *piece;
		bool whole;
	} rows[] = { { "{\"base64\":\"Zm9v\"}", false },
		     { "{\"base64\":\"Zm9\"}", true },
		     { "{\"other\":1}", true } };

	for (size_t i = 0; i < nitems(rows); i++) {
		char *path = path_of("part"), *why = NULL;
		struct save *save = save_open(path, &why);

		assert_int_equal(give(save, rows[i].piece), !rows[i].whole);
		assert_false(save_close(&save, rows[i].whole, &why));
		assert_int_equal(why != NULL, rows[i].whole); /* a refusal has its own words */
		assert_int_equal(access(path, F_OK), -1);
		free(why);
		free(path);
	}
}

static int make_folder(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_become_a_file_for_its_owner_alone),
		cmocka_unit_test(one_that_is_there_is_not_written_over),
		cmocka_unit_test(one_that_does_not_come_whole_is_deleted),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
