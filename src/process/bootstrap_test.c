#include "process/bootstrap.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/sallyport-bootstrap-XXXXXX";

static bool read_text(const char *text, struct bootstrap *bootstrap, char **why)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
	return bootstrap_read(path, bootstrap, why);
}

static void a_whole_file_is_read(void **state)
{
	struct bootstrap b;
	char *why = NULL;

	assert_true(read_text("# the node in the DMZ\n"
			      "role = \"edge\"\n"
			      "name = \"edge-a\"\n"
			      "data = \"/var/lib/sallyport\"\n"
			      "user = \"nobody\"\n"
			      "control_socket = \"/run/sallyport/control.sock\"\n"
			      "programs = \"/usr/libexec/sallyport\"\n"
			      "listen s2s {\n"
			      "  address = { \"203.0.113.2\", \"2001:db8::2\" }\n"
			      "  port = 5269\n"
			      "}\n"
			      "listen link { address = \"203.0.113.2\" port = 7400 }\n",
			      &b, &why));
	assert_ptr_equal(b.role, &role_edge);
	assert_string_equal(b.name, "edge-a");
	assert_string_equal(b.data, "/var/lib/sallyport");
	assert_string_equal(b.user, "nobody");
	assert_string_equal(b.control_socket, "/run/sallyport/control.sock");
	assert_string_equal(b.programs, "/usr/libexec/sallyport");
	assert_int_equal(b.listens_count, 3);
	assert_string_equal(b.listens[1].service, "s2s");
	assert_string_equal(b.listens[1].address, "2001:db8::2");
	assert_int_equal(b.listens[1].port, 5269);
	assert_string_equal(b.listens[2].service, "link");
	assert_int_equal(b.listens[2].process, PROCESS_TRAFFIC);
	bootstrap_finish(&b);
}

static void what_is_optional_has_defaults(void **state)
{
	struct bootstrap b;
	char *why = NULL;

	assert_true(read_text("role = core\nname = core-a\ndata = /srv/sallyport\n", &b, &why));
	assert_ptr_equal(b.role, &role_core);
	assert_string_equal(b.control_socket, "/srv/sallyport/control.sock");
	assert_null(b.user);
	assert_null(b.programs);
	assert_int_equal(b.listens_count, 0);
	bootstrap_finish(&b);
}

#define HEAD "role = edge\nname = edge-a\ndata = /srv\n"

static void what_is_wrong_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text, *why; /* after the path */
	} rows[] = {
		{ "role = gateway\n", ":1: role: 'gateway' is not edge, core or home" },
		{ "\nname = \"a b\"\n", ":2: name: 'a b' is not a name of letters, digits, hyphens "
					"and dots, at most 63" },
		{ "data = srv\n", ":1: data: 'srv' is not an absolute path" },
		{ "user = \"no such user\"\n",
		  ":1: user: 'no such user' is not a user of this system" },
		{ "rolle = edge\n", ":1: no such option 'rolle'" },
		{ "role = edge\nname = edge-a\n", ":3: data is missing" },
		{ "", ":1: role is missing" },
		{ "listen s2s { address = \"example.net\" port = 5269 }\n",
		  ":1: address: 'example.net' is not an IP address" },
		{ "listen s2s { address = { \"192.0.2.1\", \"192.0.2\" } port = 5269 }\n",
		  ":1: address: '192.0.2' is not an IP address" },
		{ "listen s2s {\n\taddress = \"192.0.2.1\"\n\tport = 70000\n}\n",
		  ":3: port: 70000 is not a number between 1 and 65535" },
		{ "listen s2s { port = 5269 }\n", ":1: listen s2s: needs address and port" },
		{ "listen s2s { address = \"192.0.2.1\" }\n",
		  ":1: listen s2s: needs address and port" },
		{ HEAD "listen axl { address = \"192.0.2.1\" port = 8443 }\n",
		  ":4: listen axl: no service of role edge" },
		{ "role = core\nname = a\ndata = /srv\nlisten s2s { address = \"192.0.2.1\" "
		  "port = 5269 }\n",
		  ":4: listen s2s: no service of role core" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		char *expected = xasprintf("%s%s", path, rows[i].why), *why = NULL;
		struct bootstrap b;

		assert_false(read_text(rows[i].text, &b, &why));
		assert_string_equal(why, expected);
		free(expected);
		free(why);
	}
}

#define S2S(address) "listen s2s { address = \"" address "\" port = 5269 }\n"
#define ADMIN(address) "listen admin { address = \"" address "\" port = 9443 }\n"

static void the_web_page_is_not_where_the_world_comes(void **state)
{
	static const struct {
		const char *text;
		bool taken;
	} rows[] = {
		{ HEAD ADMIN("192.0.2.1"), true },
		{ HEAD S2S("192.0.2.1") ADMIN("192.0.2.2"), true },
		{ HEAD S2S("192.0.2.1") ADMIN("192.0.2.1"), false },
		{ HEAD ADMIN("192.0.2.1") S2S("192.0.2.1"), false },
		{ HEAD S2S("0.0.0.0") ADMIN("192.0.2.1"), false },
		{ HEAD S2S("192.0.2.1") ADMIN("0.0.0.0"), false },
		{ HEAD S2S("::") ADMIN("2001:db8::1"), false },
		{ HEAD S2S("::") ADMIN("192.0.2.1"), true },
		{ HEAD S2S("0.0.0.0") ADMIN("127.0.0.1"), true },
		{ HEAD S2S("::") ADMIN("::1"), true },
		{ HEAD S2S("127.0.0.1") ADMIN("127.0.0.1"), true },
		{ "role = core\nname = a\ndata = /srv\n" ADMIN("0.0.0.0"), true },
		{ "role = home\nname = a\ndata = /srv\n" ADMIN("::"), true },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct bootstrap b;
		char *why = NULL;

		assert_int_equal(read_text(rows[i].text, &b, &why), rows[i].taken);
		if (rows[i].taken)
			bootstrap_finish(&b);
		else
			assert_non_null(strstr(why, "is where the world reaches s2s"));
		free(why);
	}
}

static void two_sections_of_one_name_are_refused(void **state)
{
	struct bootstrap b;
	char *why = NULL;

	assert_false(read_text(HEAD "listen s2s { address = \"192.0.2.1\" port = 5269 }\n"
				    "listen s2s { address = \"192.0.2.2\" port = 5269 }\n",
			       &b, &why));
	assert_non_null(strstr(why, ":5: "));
	free(why);
}

static void a_file_that_is_not_there_is_told(void **state)
{
	struct bootstrap b;
	char *why = NULL;

	assert_false(bootstrap_read("/nowhere/sallyport.conf", &b, &why));
	assert_string_equal(why, "/nowhere/sallyport.conf: No such file or directory");
	free(why);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read),
		cmocka_unit_test(what_is_optional_has_defaults),
		cmocka_unit_test(what_is_wrong_is_told_with_its_line),
		cmocka_unit_test(the_web_page_is_not_where_the_world_comes),
		cmocka_unit_test(two_sections_of_one_name_are_refused),
		cmocka_unit_test(a_file_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
