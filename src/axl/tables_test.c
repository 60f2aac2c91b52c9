#include "axl/tables.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ONE "055c13d9-943d-459d-a3c6-af1d1176936d"
#define TWO "155c13d9-943d-459d-a3c6-af1d1176936d"

static struct axl_tables *tables;
static struct axl_row filled[] = { { (char[]){ ONE }, (char[]){ "cm-2_s2scp-1.edge-a" } },
				   { (char[]){ TWO }, (char[]){ "cm-2_s2scp-1.it's" } } };

static int set_up(void **state)
{
	tables = axl_tables_create();
	axl_tables_fill(tables, filled, nitems(filled));
	return 0;
}

static int tear_down(void **state)
{
	axl_tables_destroy(&tables);
	return 0;
}

/* The rows as "a|b a|b", or the fault as "-206 words". */
static char *ask(const char *sql)
{
	struct buffer out = { 0 };
	struct axl_rows rows;
	struct axl_fault fault;

	if (!axl_tables_query(tables, sql, &rows, &fault)) {
		buffer_printf(&out, "%d %s", fault.code, fault.message);
		free(fault.message);
		return buffer_take_text(&out);
	}
	for (size_t i = 0; i < rows.count; i++) {
		for (size_t c = 0; c < rows.columns; c++)
			buffer_printf(&out, "%s%s",
				      c	  ? "|"
				      : i ? " "
					  : "",
				      rows.cells[i * rows.columns + c]
					      ? rows.cells[i * rows.columns + c]
					      : "NULL");
	}
	axl_rows_finish(&rows);
	return buffer_take_text(&out);
}

/* The cp_ids that would be there, or the fault. */
static char *change(const char *sql)
{
	struct buffer out = { 0 };
	struct axl_row *rows;
	struct axl_fault fault;
	uint64_t updated;
	size_t count;

	if (!axl_tables_update(tables, sql, &rows, &count, &updated, &fault)) {
		buffer_printf(&out, "%d %s", fault.code, fault.message);
		free(fault.message);
		return buffer_take_text(&out);
	}
	buffer_printf(&out, "%u:", (unsigned)updated);
	for (size_t i = 0; i < count; i++)
		buffer_printf(&out, " %s", rows[i].cp_id);
	axl_rows_free(rows, count);
	return buffer_take_text(&out);
}

struct dialogue {
	const char *sql, *answer;
};

static void assert_answers(char *(*to)(const char *sql), const struct dialogue *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *answer = to(rows[i].sql);

		if (strcmp(answer, rows[i].answer) != 0)
			fail_msg("%.200s: '%s' instead of '%s'", rows[i].sql, answer,
				 rows[i].answer);
		free(answer);
	}
}

static void queries_are_answered(void **state)
{
	static const struct dialogue rows[] = {
		{ "select * from xmpps2snodes",
		  ONE "|cm-2_s2scp-1.edge-a " TWO "|cm-2_s2scp-1.it's" },
		{ "SELECT PKID, CP_ID FROM XMPPS2SNODES WHERE cp_id = 'cm-2_s2scp-1.edge-a';",
		  ONE "|cm-2_s2scp-1.edge-a" },
		{ "select count(*) from xmpps2snodes", "2" },
		{ "select cp_id from xmpps2snodes where cp_id like '%edge%'",
		  "cm-2_s2scp-1.edge-a" },
		{ "select cp_id from xmpps2snodes where 1 = 2", "" },
		{ "select length(newid()) from xmpps2snodes where pkid = '" ONE "'", "36" },
		{ "select null", "NULL" },
	};

	assert_answers(ask, rows, nitems(rows));
}

static void mistakes_have_informix_numbers(void **state)
{
	static const struct dialogue rows[] = {
		{ "select * from enduser", "-206 no such table: enduser" },
		{ "select nosuch from xmpps2snodes", "-217 no such column: nosuch" },
		{ "selec", "-201 near \"selec\": syntax error" },
		{ "", "-201 no statement" },
		{ " ; ", "-201 no statement" },
		{ "select 1; select 2", "-201 more than one statement" },
		{ "insert into xmpps2snodes values('a','b')",
		  "-272 a change by executeSQLQuery is not allowed here" },
	};
	static const struct dialogue changes[] = {
		{ "insert into xmpps2snodes (pkid, cp_id) values ('" ONE "', 'x')",
		  "-239 UNIQUE constraint failed: xmpps2snodes.pkid" },
		{ "insert into xmpps2snodes (pkid) values ('x')",
		  "-391 NOT NULL constraint failed: xmpps2snodes.cp_id" },
		{ "insert into xmpps2snodes (pkid, nosuch) values ('x', 'y')",
		  "-217 table xmpps2snodes has no column named nosuch" },
		{ "insert into enduser values (1)", "-206 no such table: enduser" },
		{ "select 1", "-201 this statement changes nothing" },
		{ "drop table xmpps2snodes", "-272 this statement is not allowed here" },
		{ "create table x(y)", "-272 this statement is not allowed here" },
	};

	assert_answers(ask, rows, nitems(rows));
	assert_answers(change, changes, nitems(changes));
}

static void a_change_tells_what_would_be_and_leaves_what_is(void **state)
{
	static const struct dialogue rows[] = {
		{ "insert into xmpps2snodes (pkid, cp_id) values (newid(), 'cm.x')", NULL },
		{ "delete from xmpps2snodes where cp_id = 'cm-2_s2scp-1.edge-a'",
		  "1: cm-2_s2scp-1.it's" },
		{ "delete from xmpps2snodes", "2:" },
		{ "update xmpps2snodes set cp_id = 'same'", "2: same same" },
		{ "delete from xmpps2snodes where cp_id = 'nobody'",
		  "0: cm-2_s2scp-1.edge-a cm-2_s2scp-1.it's" },
	};
	char *inserted = change(rows[0].sql), *after;

	assert_non_null(strstr(inserted, "1: "));
	assert_non_null(strstr(inserted, "cm.x"));
	assert_answers(change, rows + 1, nitems(rows) - 1);
	after = ask("select count(*) from xmpps2snodes");
	assert_string_equal(after, "2");
	free(inserted);
	free(after);
}

static char *repeat(const char *before, const char *part, size_t times, const char *after)
{
	struct buffer out = { 0 };

	buffer_append_text(&out, before);
	while (times--)
		buffer_append_text(&out, part);
	buffer_append_text(&out, after);
	return buffer_take_text(&out);
}

static void nobody_gets_beyond_the_table(void **state)
{
	static const char *const hostile[] = {
		"select * from sqlite_master",
		"select * from sqlite_schema",
		"select * from pragma_database_list",
		"select * from pragma_function_list",
		"pragma database_list",
		"pragma writable_schema = on",
		"attach 'x' as y",
		"attach ':memory:' as y",
		"detach main",
		"vacuum into '/tmp/x'",
		"create table x(y)",
		"create temp table x(y)",
		"create trigger t after insert on xmpps2snodes begin select 1; end",
		"drop table xmpps2snodes",
		"alter table xmpps2snodes add column x",
		"begin",
		"commit",
		"rollback",
		"savepoint x",
		"reindex",
		"analyze",
		"explain select 1",
		"select load_extension('x')",
		"select readfile('/etc/passwd')",
		"select writefile('/tmp/x', 'y')",
		"select sqlite_version()",
		"select printf('%1000000d', 1)",
		"select zeroblob(1000000000)",
		"select randomblob(1000000000)",
		"select hex(zeroblob(100))",
		"select replace('a', 'a', 'b')",
		"select * from json_each('[1]')",
		"with recursive c(x) as (select 1 union all select x+1 from c) select count(*) "
		"from c",
		"with recursive c(x) as (select 1 union all select x+1 from c) select x from c",
		"select count(*) from xmpps2snodes a, xmpps2snodes b, xmpps2snodes c, "
		"xmpps2snodes d, xmpps2snodes e, xmpps2snodes f, xmpps2snodes g, xmpps2snodes h, "
		"xmpps2snodes i, xmpps2snodes j, xmpps2snodes k, xmpps2snodes l, xmpps2snodes m, "
		"xmpps2snodes n, xmpps2snodes o, xmpps2snodes p, xmpps2snodes q, xmpps2snodes r, "
		"xmpps2snodes s, xmpps2snodes t, xmpps2snodes u, xmpps2snodes v, xmpps2snodes w, "
		"xmpps2snodes x, xmpps2snodes y, xmpps2snodes z",
		"select ?",
		"\xff\xfe",
		"/*",
		"--",
	};

	for (size_t i = 0; i < nitems(hostile); i++) {
		char *answer = ask(hostile[i]), *changed = change(hostile[i]), *left;

		if (answer[0] != '-' || changed[0] != '-')
			fail_msg("%s: '%s', '%s'", hostile[i], answer, changed);
		left = ask("select count(*) from xmpps2snodes");
		assert_string_equal(left, "2");
		free(answer);
		free(changed);
		free(left);
	}
}

static void what_is_too_much_is_refused(void **state)
{
	char *rows[] = {
		repeat("select ", "1,", 100000, "1"),
		repeat("select '", "a", 1000000, "'"),
		repeat("select ", "(", 1000, "1"),
		repeat("select cp_id||cp_id from xmpps2snodes where 1", " or 1", 1000, ""),
		repeat("insert into xmpps2snodes select newid(), 'x' from xmpps2snodes",
		       ", xmpps2snodes", 0, ""),
	};

	for (size_t i = 0; i + 1 < nitems(rows); i++) {
		char *answer = ask(rows[i]);

		assert_int_equal(answer[0], '-');
		free(answer);
	}
	for (int i = 0; i < 9; i++) { /* 2 rows, 4, ... 1024: one more than there may be */
		char *answer = change(rows[4]);
		struct axl_row *now;
		struct axl_fault fault;
		uint64_t updated;
		size_t count;

		assert_int_not_equal(answer[0], '-');
		free(answer);
		if (!axl_tables_update(tables, rows[4], &now, &count, &updated, &fault))
			fail_msg("%s", fault.message);
		axl_tables_fill(tables, now, count);
		axl_rows_free(now, count);
		if (count == 512)
			break;
	}
	{
		char *answer = change(rows[4]);

		assert_string_equal(answer, "-229 more than 1000 rows");
		free(answer);
	}
	for (size_t i = 0; i < nitems(rows); i++)
		free(rows[i]);
}

static void whether_it_changes_shows_in_its_first_word(void **state)
{
	assert_false(sql_changes("select * from x"));
	assert_false(sql_changes(""));
	assert_true(sql_changes(" \n Insert into x"));
	assert_true(sql_changes("DELETE from x"));
	assert_true(sql_changes("update x"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queries_are_answered),
		TEST(mistakes_have_informix_numbers),
		TEST(a_change_tells_what_would_be_and_leaves_what_is),
		TEST(nobody_gets_beyond_the_table),
		TEST(what_is_too_much_is_refused),
		TEST(whether_it_changes_shows_in_its_first_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
