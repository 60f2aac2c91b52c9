#include "ctl/bootstrap.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
	const char *file;
	const char *socket; /* NULL: refused */
	const char *why;    /* what the complaint contains */
} rows[] = {
	{ "name = edge-a\n", NULL, " names neither data nor control_socket" },
	{ "data = \"/srv/edge\"\n", "/srv/edge/control.sock", NULL },
	{ "data = /srv/edge\ncontrol_socket = \"/run/edge.sock\"\n", "/run/edge.sock", NULL },
	{ "# a whole one\n"
	  "role = \"edge\"\n"
	  "name = \"edge-a\"\n"
	  "data = \"/srv/edge\"\n"
	  "user = \"sallyport\"\n"
	  "programs = \"/usr/libexec/sallyport\"\n"
	  "listen s2s { address = \"192.0.2.1\" port = 5269 }\n"
	  "listen s2s { address = \"2001:db8::1\" port = 5269 }\n"
	  "listen link { address = \"192.0.2.1\" port = 7400 }\n",
	  "/srv/edge/control.sock", NULL },
	{ "listen s2s {\n\taddress = \"192.0.2.1\"\n\tport = 5269\n}\ndata = \"/srv/core\"\n",
	  "/srv/core/control.sock", NULL },
	{ "data = \n", NULL, ":2: premature end of file" },
	{ "data = \"/srv\n", NULL, ":2: premature end of file" },
};

static void the_socket_is_found(void **state)
{
	for (size_t i = 0; i < nitems(rows); i++) {
		char path[] = "/tmp/sallyport-bootstrap-XXXXXX";
		int fd = mkstemp(path);
		char *socket, *why = NULL;

		assert_true(fd >= 0);
		assert_int_equal(write(fd, rows[i].file, strlen(rows[i].file)),
				 strlen(rows[i].file));
		close(fd);
		socket = bootstrap_socket(path, &why);
		unlink(path);
		if (rows[i].socket) {
			assert_non_null(socket);
			assert_string_equal(socket, rows[i].socket);
		} else {
			assert_null(socket);
			assert_non_null(strstr(why, rows[i].why));
		}
		free(socket);
		free(why);
	}
}

static void a_file_that_is_not_there_is_named(void **state)
{
	char *why = NULL;

	assert_null(bootstrap_socket("/nonexistent/sallyport.conf", &why));
	assert_string_equal(why,
			    "cannot read /nonexistent/sallyport.conf: No such file or directory");
	free(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_socket_is_found),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
