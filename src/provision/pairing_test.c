#include "provision/pairing.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIN_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define PIN_2 "2222222222222222222222222222222222222222222222222222222222222222"

/* Literals serve as our own texts: pairing_create copies them. */
static char *text(const char *literal)
{
	static char texts[64][72];
	static size_t next;
	char *copy = texts[next++ % 64];

	strncpy(copy, literal, 71);
	return copy;
}

static struct pairing_self self_of(const char *node, const char *role)
{
	return (struct pairing_self){ .node = text(node),
				      .role = text(role),
				      .link_pin = text(PIN_1),
				      .ssh_pin = text(PIN_2) };
}

static struct pairing *core(const char *expected)
{
	struct pairing_self self = self_of("core-a", "core");

	return pairing_create(&self, true, expected);
}

static struct pairing *accepting(const char *node, const char *role)
{
	struct pairing_self self = self_of(node, role);

	self.link_address = text("-:7400");
	if (strcmp(role, "home") == 0) {
		self.axl_port = 8443;
		self.axl_password = text("0123456789abcdef");
		self.axl_pin = text(PIN_1);
	}
	return pairing_create(&self, false, NULL);
}

static void carry(struct pairing *from, struct pairing *to)
{
	struct buffer *out = pairing_output(from);

	for (; buffer_len(out); buffer_consume(out, 1))
		pairing_feed(to, (struct slice){ buffer_data(out), 1 });
}

static bool next_is(struct pairing *p, enum pairing_event_type type)
{
	return pairing_next(p).type == type;
}

static void fails(struct pairing *p, const char *why)
{
	struct pairing_event event = pairing_next(p);

	assert_int_equal(event.type, PAIRING_FAILED);
	assert_non_null(strstr(event.why, why));
	assert_true(next_is(p, PAIRING_NONE));
}

static void both_pin_each_other_who_dials_first(void **state)
{
	struct pairing *c = core("home-a"), *h = accepting("home-a", "home");
	struct pairing_event event;

	carry(c, h);
	assert_true(next_is(h, PAIRING_NONE));
	carry(h, c);
	event = pairing_next(c);
	assert_int_equal(event.type, PAIRING_STORE);
	assert_string_equal(event.other->node, "home-a");
	assert_string_equal(event.other->role, "home");
	assert_string_equal(event.other->link_pin, PIN_1);
	assert_string_equal(event.other->ssh_pin, PIN_2);
	assert_string_equal(event.other->link_address, "-:7400");
	assert_int_equal(event.other->axl_port, 8443);
	assert_string_equal(event.other->axl_user, "core-a");
	assert_string_equal(event.other->axl_password, "0123456789abcdef");
	assert_string_equal(event.other->axl_pin, PIN_1);
	pairing_stored(c, true, NULL);
	carry(c, h);
	event = pairing_next(h);
	assert_int_equal(event.type, PAIRING_STORE);
	assert_string_equal(event.other->node, "core-a");
	pairing_stored(h, true, NULL);
	assert_true(next_is(h, PAIRING_DONE));
	carry(h, c);
	assert_true(next_is(c, PAIRING_DONE));
	pairing_closed(h, "closed");
	pairing_closed(c, "closed");
	assert_true(next_is(h, PAIRING_NONE));
	assert_true(next_is(c, PAIRING_NONE));
	pairing_destroy(&h);
	pairing_destroy(&c);
}

static void who_does_not_fit_is_refused_on_both_sides(void **state)
{
	static const struct {
		const char *dials, *dials_role, *accepts, *accepts_role, *expected, *why;
	} rows[] = {
		{ "core-a", "core", "core-b", "core", "core-b", "nobody dials a core" },
		{ "edge-a", "core", "edge-a", "edge", "edge-a", "both nodes are named edge-a" },
		{ "core-a", "core", "edge-a", "edge", "edge-b",
		  "the code is of edge-b, but edge-a answered" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct pairing_self self = self_of(rows[i].dials, rows[i].dials_role);
		struct pairing *c = pairing_create(&self, true, rows[i].expected);
		struct pairing *e = accepting(rows[i].accepts, rows[i].accepts_role);

		carry(c, e);
		if (i == 2) {
			assert_true(next_is(e, PAIRING_NONE));
			carry(e, c);
			fails(c, rows[i].why);
			carry(c, e);
			fails(e, rows[i].why);
		} else {
			fails(e, rows[i].why);
			carry(e, c);
			fails(c, rows[i].why);
		}
		pairing_destroy(&c);
		pairing_destroy(&e);
	}
}

static void join_runs_on_a_core_and_nowhere_else(void **state)
{
	struct pairing_self self = self_of("edge-b", "edge");
	struct pairing *p = pairing_create(&self, true, "edge-a");

	assert_int_equal(buffer_len(pairing_output(p)), 0);
	fails(p, "edge-b is a node of role edge: join runs on a core");
	pairing_destroy(&p);
	p = accepting("edge-a", "edge"); /* one that does not check itself */
	pairing_feed(p, slice_of("{\"type\":\"hello\",\"protocol\":1,\"role\":\"home\",\"node\":"
				 "\"h\",\"link_pin\":\"" PIN_1 "\",\"ssh_pin\":\"" PIN_2 "\"}\n"));
	fails(p, "h is a node of role home: join runs on a core");
	pairing_destroy(&p);
}

static void who_dials_takes_it_back_when_the_other_cannot_store(void **state)
{
	struct pairing *c = core("edge-a"), *e = accepting("edge-a", "edge");

	carry(c, e);
	pairing_next(e);
	carry(e, c);
	pairing_next(c);
	pairing_stored(c, true, NULL);
	carry(c, e);
	assert_true(next_is(e, PAIRING_STORE));
	pairing_stored(e, false, "the disk is full");
	fails(e, "edge-a cannot store the pairing: the disk is full");
	carry(e, c);
	assert_true(next_is(c, PAIRING_UNDO));
	fails(c, "the other node refuses: edge-a cannot store the pairing: the disk is full");
	pairing_destroy(&c);
	pairing_destroy(&e);
}

static void a_tunnel_that_ends_leaves_nothing_stored(void **state)
{
	struct pairing *c = core("edge-a"), *e = accepting("edge-a", "edge");

	carry(c, e);
	pairing_next(e);
	carry(e, c);
	assert_true(next_is(c, PAIRING_STORE));
	pairing_closed(c, "cut"); /* while control stores */
	assert_true(next_is(c, PAIRING_NONE));
	pairing_stored(c, true, NULL);
	assert_true(next_is(c, PAIRING_UNDO));
	fails(c, "cut");
	pairing_closed(e, "lost");
	fails(e, "lost");
	pairing_destroy(&c);

	c = core("edge-a");
	pairing_destroy(&e);
	e = accepting("edge-a", "edge");
	carry(c, e);
	pairing_next(e);
	carry(e, c);
	pairing_next(c);
	pairing_stored(c, false, "no");
	fails(c, "core-a cannot store the pairing: no");
	carry(c, e);
	fails(e, "the other node refuses");
	pairing_destroy(&c);
	pairing_destroy(&e);

	c = core("edge-a");
	e = accepting("edge-a", "edge");
	carry(c, e);
	pairing_next(e);
	carry(e, c);
	pairing_next(c);
	pairing_stored(c, true, NULL);
	pairing_closed(c, "cut"); /* before done */
	assert_true(next_is(c, PAIRING_UNDO));
	fails(c, "cut");
	pairing_destroy(&c);
	pairing_destroy(&e);
}

#define BEGIN "{\"type\":\"hello\",\"protocol\":1,\"role\":\"core\",\"node\":"
#define PINS ",\"link_pin\":\"" PIN_1 "\",\"ssh_pin\":\"" PIN_2 "\""

static void what_breaks_the_rules_is_refused_and_said_so(void **state)
{
	static const char *const rows[][2] = {
		{ "x\n", "a line of the other node is not JSON" },
		{ "{\"type\":\"stored\"}\n", "did not say hello first" },
		{ "{\"type\":\"hello\",\"protocol\":2}\n", "another protocol than 1" },
		{ BEGIN "\"../etc\"" PINS "}\n", "its name or role" },
		{ BEGIN "\"a\"}\n", "its keys' pins" },
		{ BEGIN "\"a\"" PINS "}\n{\"type\":\"done\"}\n", "did not say stored" },
		{ BEGIN "\"a\"" PINS "}\n{\"type\":\"stored\"}\n{}\n", NULL },
		{ "{\"type\":\"refused\",\"why\":\"because\"}\n",
		  "the other node refuses: because" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct pairing *e = accepting("edge-a", "edge");

		pairing_feed(e, slice_of(rows[i][0]));
		if (rows[i][1]) {
			fails(e, rows[i][1]);
		} else { /* out of turn: settled when control has answered */
			assert_true(next_is(e, PAIRING_STORE));
			assert_true(next_is(e, PAIRING_NONE));
			pairing_stored(e, true, NULL);
			assert_true(next_is(e, PAIRING_UNDO));
			fails(e, "spoke out of turn");
		}
		pairing_destroy(&e);
	}
}

static void a_line_has_a_limit(void **state)
{
	struct pairing *e = accepting("edge-a", "edge");
	char *line = xmalloc(PAIRING_LINE_BYTES + 1);

	memset(line, ' ', PAIRING_LINE_BYTES + 1);
	pairing_feed(e, (struct slice){ line, PAIRING_LINE_BYTES });
	assert_true(next_is(e, PAIRING_NONE));
	pairing_feed(e, (struct slice){ line, 1 });
	fails(e, "is too long");
	free(line);
	pairing_destroy(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_pin_each_other_who_dials_first),
		cmocka_unit_test(who_does_not_fit_is_refused_on_both_sides),
		cmocka_unit_test(join_runs_on_a_core_and_nowhere_else),
		cmocka_unit_test(who_dials_takes_it_back_when_the_other_cannot_store),
		cmocka_unit_test(a_tunnel_that_ends_leaves_nothing_stored),
		cmocka_unit_test(what_breaks_the_rules_is_refused_and_said_so),
		cmocka_unit_test(a_line_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
