#include "ctl/guess.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *words[4];
	const char *guess;
} rows[] = {
	{ { "sttaus" }, "status" },
	{ { "staus" }, "status" },
	{ { "statuss", "--json" }, "status" },
	{ { "config", "sett", "domains" }, "config set" },
	{ { "cofnig", "get", "domains" }, "config get" },
	{ { "homeserver", "list" }, "home-server list" },
	{ { "stream" }, "streams" },
	{ { "domain" }, "domains" },
	{ { "whi", "example.net" }, "why" },
	{ { "lgo" }, "log" },
	{ { "federation" }, NULL },
	{ { "x" }, NULL },
	{ { "" }, NULL },
	{ { "restart" }, NULL },
	{ { "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss" }, NULL },
	{ { NULL }, NULL },
};

static void a_slip_or_two_are_understood(void **state)
{
	for (size_t i = 0; i < nitems(rows); i++) {
		size_t count = 0;
		const char *guess;

		while (rows[i].words[count])
			count++;
		guess = guess_command(rows[i].words, count);
		if (!rows[i].guess != !guess || (guess && strcmp(guess, rows[i].guess) != 0))
			fail_msg("%s: %s", rows[i].words[0], guess ? guess : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_or_two_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
