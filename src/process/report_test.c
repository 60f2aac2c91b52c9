#include "process/report.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "tables/events.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct stage {
	char folder[40];
	struct bootstrap bootstrap;
	struct node node;
	char *text; /* of the report: a line for each record, a bar between fields */
};

static int set_up(void **state)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));

	strcpy(stage->folder, "/tmp/sallyport-report-XXXXXX");
	if (!mkdtemp(stage->folder))
		return -1;
	*state = stage;
	return 0;
}

static void opens(struct stage *stage, const struct role *role)
{
	char *why = NULL;

	stage->bootstrap = (struct bootstrap){ .role = role,
					       .name = xstrdup("node-a"),
					       .data = xstrdup(stage->folder) };
	if (!node_open(&stage->node, &stage->bootstrap, &why))
		fail_msg("%s", why);
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *at)
{
	return remove(name);
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	node_close(&stage->node);
	bootstrap_finish(&stage->bootstrap);
	nftw(stage->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(stage->text);
	free(stage);
	return 0;
}

static void set(struct stage *stage, const char *name, const char *word)
{
	struct store_change change = { .setting = setting_find(name) };
	char *why = NULL;

	if (!setting_read(change.setting, &word, 1, &change.value, &why) ||
	    !store_change(stage->node.store, "root", &change, 1, &why))
		fail_msg("%s", why);
	setting_value_finish(&change.value);
}

static void reports(struct stage *stage)
{
	struct buffer out = { 0 }, text = { 0 };
	struct snapshot_record record;
	struct snapshot *snapshot;
	size_t place = 0;
	const char *why;

	snapshot_begin(&out, 0, 1);
	report_settings(&out, stage->node.store, stage->bootstrap.role->bit);
	snapshot = snapshot_read((struct slice){ buffer_data(&out), buffer_len(&out) }, &why);
	assert_non_null(snapshot);
	while (snapshot_next(snapshot, &place, &record)) {
		for (size_t i = 0; i < record.count; i++)
			buffer_printf(&text, "%s%.*s", i ? "|" : "", SLICE_ARGS(record.fields[i]));
		buffer_append_text(&text, "\n");
	}
	snapshot_destroy(&snapshot);
	buffer_finish(&out);
	free(stage->text);
	stage->text = buffer_take_text(&text);
}

static void an_edge_tells_its_switches_domains_and_fingerprint(void **state)
{
	struct stage *stage = *state;

	opens(stage, &role_edge);
	set(stage, "federation.enabled", "on");
	set(stage, "domains", "example.net on");
	set(stage, "log.levels", "network.dns debug");
	reports(stage);
	assert_non_null(strstr(stage->text, "setting|federation.enabled|on\n"));
	assert_non_null(strstr(stage->text, "setting|federation.use_static_routes|off\n"));
	assert_non_null(strstr(stage->text, "domain|example.net|on|\n"));
	assert_non_null(strstr(stage->text, "level|network.dns|debug|0\n"));
	assert_non_null(strstr(stage->text, "secret|"));
	assert_null(strstr(stage->text, "router.apply"));
	assert_null(
		strstr(stage->text, store_text(stage->node.store, "federation.dialback_secret")));
}

static void a_home_node_tells_its_table_and_certificate(void **state)
{
	struct stage *stage = *state;
	const char *certificate, *end;

	opens(stage, &role_home);
	set(stage, "xmpps2snodes", "11111111-1111-1111-1111-111111111111 cm-1.edge-a");
	set(stage, "log.levels", "network.dns debug 1800000000");
	reports(stage);
	assert_non_null(strstr(stage->text, "level|network.dns|debug|1800000000\n"));
	set(stage, "log.levels", "network.dns info");
	reports(stage);
	assert_non_null(strstr(stage->text, "stored|cm-1.edge-a\n"));
	assert_non_null(strstr(stage->text, "setting|router.apply|live\n"));
	assert_null(strstr(stage->text, "level|"));
	assert_null(strstr(stage->text, "secret|"));
	certificate = strstr(stage->text, "certificate|axl.certificate|");
	assert_non_null(certificate);
	end = strchr(certificate + strlen("certificate|axl.certificate|"), '|');
	assert_non_null(end);
	assert_true(strtoll(end + 1, NULL, 10) > 1700000000);
}

static void a_core_tells_what_its_edges_told(void **state)
{
	struct stage *stage = *state;

	opens(stage, &role_core);
	set(stage, "edges", "edge-a 7 on aa11bb22");
	reports(stage);
	assert_non_null(strstr(stage->text, "edge|edge-a|7|on|aa11bb22\n"));
	assert_null(strstr(stage->text, "certificate|axl"));
}

static void every_node_tells_its_accounts_but_no_password(void **state)
{
	struct stage *stage = *state;

	opens(stage, &role_core);
	set(stage, "admin.accounts", "anna admin $argon2id$v=19$hash");
	reports(stage);
	assert_non_null(strstr(stage->text, "account|anna|admin|set\n"));
	assert_non_null(strstr(stage->text, "certificate|admin.certificate|"));
	set(stage, "admin.accounts", "anna viewer unset");
	reports(stage);
	assert_non_null(strstr(stage->text, "account|anna|viewer|unset\n"));
	assert_null(strstr(stage->text, "argon2id"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_edge_tells_its_switches_domains_and_fingerprint),
		TEST(a_home_node_tells_its_table_and_certificate),
		TEST(a_core_tells_what_its_edges_told),
		TEST(every_node_tells_its_accounts_but_no_password),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
