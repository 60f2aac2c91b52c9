#include "process/log_sink.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/log_escape.h"
#include "tables/events.h"

#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define JOURNAL "/run/systemd/journal/socket"

static struct log_sink *sink;
static int ends[2];

static int create(void **state)
{
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	log_init("edge-a", "sallyportd");
	sink = log_sink_create(ends[1]);
	return 0;
}

static int destroy(void **state)
{
	log_sink_destroy(&sink);
	unsetenv("JOURNAL_STREAM");
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static const char *heard(int fd)
{
	static char text[1 << 17];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* What a peer may have written. */
#define NASTY                                                                                      \
	"\" Level=\"ERROR\"\nMESSAGE=forged\n\",\"level\":\"ERROR\" "                              \
	"\033[31m\302\233\342\200\256\377"

static void say_nasty(void)
{
	log_event(EVENT_S2S_IN_FAILED, "xcoder=34A9B60C8 local=a.example peer=b.example why=\"%s\"",
		  NASTY);
}

static void text_is_the_line_as_it_is(void **state)
{
	const char *line;

	log_event(EVENT_PROCESS_READY, "pid=%d", 7);
	log_forward(slice_of("2026-11-24T12:00:00.123456+00:00 edge-a sallyport-traffic[1]: "
			     "Module=\"m\" Level=\"INFO\" CodeLocation=\"x.y\" Detail=\"a\""));
	line = heard(ends[0]);
	assert_non_null(strstr(line, " edge-a sallyportd["));
	assert_non_null(strstr(line, "Detail=\"pid=7\"\n2026-11-24T12:00:00.123456+00:00 "));
	assert_string_equal(strrchr(line, ':'),
			    ": Module=\"m\" Level=\"INFO\" CodeLocation=\"x.y\" "
			    "Detail=\"a\"\n");
}

static void what_no_code_of_ours_wrote_becomes_an_event(void **state)
{
	const char *line;

	log_forward(slice_of("libfoo: warning: \"quoted\" \033[31m \342\200\256 \377"));
	line = heard(ends[0]);
	assert_non_null(strstr(line,
			       "Level=\"WARN\" CodeLocation=\"process.said\" Detail=\"libfoo: "
			       "warning: \\\"quoted\\\" ?[31m \\u202e \\xff\"\n"));
	log_sink_set(sink, true, 1000);
	log_forward(slice_of("==1==ERROR: AddressSanitizer"));
	assert_non_null(strstr(heard(ends[0]), "\"detail\":\"==1==ERROR: AddressSanitizer\"}\n"));
}

/* SEC-24 */
static void json_is_one_object_a_line_whatever_a_peer_wrote(void **state)
{
	const char *line;
	json_t *json;

	log_sink_set(sink, true, 1000);
	say_nasty();
	line = heard(ends[0]);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_true(log_is_safe((struct slice){ line, strlen(line) - 1 }));
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "level")), "WARN");
	assert_string_equal(json_string_value(json_object_get(json, "node")), "edge-a");
	assert_string_equal(json_string_value(json_object_get(json, "location")), "s2s.in.failed");
	assert_string_equal(json_string_value(json_object_get(json, "xcoder")), "34A9B60C8");
	assert_null(json_object_get(json, "seq"));
	json_decref(json);
}

static void a_reader_that_sleeps_costs_lines_and_never_a_part_of_one(void **state)
{
	char backslashes[1181] = { 0 };
	uint64_t before = log_dropped();
	struct buffer all = { 0 };
	size_t lines = 0;
	char *text;

	log_sink_set(sink, true, 1000);
	memset(backslashes, '\\', sizeof(backslashes) - 1); /* each is four in JSON */
	for (int i = 0; i < 100; i++)			    /* more than a pipe takes whole */
		log_event(EVENT_PROCESS_READY, "%d%s", i, backslashes);
	assert_true(log_dropped() > before);
	for (int i = 0; i < 3; i++) {
		buffer_append_text(&all, heard(ends[0]));
		log_event(EVENT_PROCESS_READY, "awake");
	}
	buffer_append_text(&all, heard(ends[0]));
	text = buffer_take_text(&all);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
		json_t *json = json_loads(line, 0, NULL);

		assert_non_null(json);
		json_decref(json);
	}
	assert_true(lines > 8);
	free(text);
}

/* In a file system of the test's own. */
static int hear_as_journald(void)
{
	const struct sockaddr_un address = { AF_UNIX, JOURNAL };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	mkdir("/run/systemd", 0755);
	mkdir("/run/systemd/journal", 0755);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void to_journal(void)
{
	char name[64];
	struct stat st;

	assert_int_equal(fstat(ends[1], &st), 0);
	snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", name, 1);
	log_sink_destroy(&sink);
	sink = log_sink_create(ends[1]);
}

static void has_field(const char *datagram, const char *field)
{
	char *line = xasprintf("\n%s\n", field), *all = xasprintf("\n%s", datagram);

	assert_non_null(strstr(all, line));
	free(line);
	free(all);
}

static void journald_gets_fields(void **state)
{
	int journal = hear_as_journald();
	const char *datagram;

	to_journal();
	log_event(EVENT_S2S_OUT_READY, "xcoder=34A9B60C8 local=a.example peer=b.example tls=1.3");
	datagram = heard(journal);
	has_field(datagram, "MESSAGE=Module=\"XMPPFederation\" Level=\"INFO\" "
			    "CodeLocation=\"s2s.out.ready\" Detail=\"xcoder=34A9B60C8 "
			    "local=a.example peer=b.example tls=1.3\"");
	has_field(datagram, "PRIORITY=6");
	has_field(datagram, "SYSLOG_IDENTIFIER=sallyportd");
	has_field(datagram, "SALLYPORT_NODE=edge-a");
	has_field(datagram, "SALLYPORT_MODULE=XMPPFederation");
	has_field(datagram, "SALLYPORT_EVENT=s2s.out.ready");
	has_field(datagram, "SALLYPORT_XCODER=34A9B60C8");
	has_field(datagram, "SALLYPORT_DOMAIN=a.example");
	has_field(datagram, "SALLYPORT_DOMAIN=b.example");
	has_field(datagram,
		  "SALLYPORT_DETAIL=xcoder=34A9B60C8 local=a.example peer=b.example tls=1.3");
	log_fields(EVENT_AXL_CALL, { "Action", "Send" }, { "URL", "https://h/?\"" });
	datagram = heard(journal);
	has_field(datagram, "SALLYPORT_ACTION=Send");
	has_field(datagram, "SALLYPORT_URL=https://h/?\"");
	assert_string_equal(heard(ends[0]), ""); /* and nothing goes there twice */
	close(journal);
	unlink(JOURNAL);
}

/* SEC-24 */
static void a_strangers_bytes_are_no_field_of_journald(void **state)
{
	int journal = hear_as_journald();
	const char *datagram;
	size_t lines = 0;

	to_journal();
	say_nasty();
	datagram = heard(journal);
	has_field(datagram, "PRIORITY=4");
	assert_null(strstr(datagram, "\nMESSAGE=forged"));
	for (const char *line = datagram; *line; line = strchr(line, '\n') + 1, lines++) {
		struct slice field = { line, (size_t)(strchr(line, '\n') - line) };

		assert_true(log_is_safe(field));
		assert_true(strncmp(line, "SALLYPORT_", 10) == 0 ||
			    strncmp(line, "SYSLOG_", 7) == 0 ||
			    strncmp(line, "MESSAGE=Module=\"XMPPFederation\"", 31) == 0 ||
			    strncmp(line, "PRIORITY=4\n", 11) == 0);
	}
	assert_int_equal(lines, 12);
	close(journal);
	unlink(JOURNAL);
}

static void without_journald_lines_go_to_its_stream(void **state)
{
	to_journal();
	log_event(EVENT_PROCESS_READY, "pid=7");
	assert_non_null(strstr(heard(ends[0]), "Detail=\"pid=7\"\n"));
}

static void a_journald_that_does_not_read_is_not_waited_for(void **state)
{
	int journal = hear_as_journald();
	uint64_t before = log_dropped();

	to_journal();
	for (int i = 0; i < 5000; i++)
		log_event(EVENT_PROCESS_READY, "pid=7");
	assert_true(log_dropped() > before);
	assert_string_equal(heard(ends[0]), "");
	close(journal);
	unlink(JOURNAL);
}

static void another_stream_is_not_journalds(void **state)
{
	int journal = hear_as_journald();

	setenv("JOURNAL_STREAM", "1:2", 1);
	log_sink_destroy(&sink);
	sink = log_sink_create(ends[1]);
	log_event(EVENT_PROCESS_READY, "pid=7");
	assert_string_equal(heard(journal), "");
	assert_non_null(strstr(heard(ends[0]), "Detail=\"pid=7\"\n"));
	close(journal);
	unlink(JOURNAL);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* Root of a namespace, for who is not root. */
static bool enter_own_users(void)
{
	char users[32], groups[32];

	snprintf(users, sizeof(users), "0 %u 1", (unsigned)geteuid());
	snprintf(groups, sizeof(groups), "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/uid_map", users) && write_file("/proc/self/gid_map", groups);
}

/* A /run that is nobody else's. */
static bool enter_own_run(void)
{
	if (unshare(CLONE_NEWNS) < 0 && !enter_own_users())
		return false;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/run", "tmpfs", 0, NULL) == 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_is_the_line_as_it_is),
		TEST(what_no_code_of_ours_wrote_becomes_an_event),
		TEST(json_is_one_object_a_line_whatever_a_peer_wrote),
		TEST(a_reader_that_sleeps_costs_lines_and_never_a_part_of_one),
		TEST(journald_gets_fields),
		TEST(a_strangers_bytes_are_no_field_of_journald),
		TEST(without_journald_lines_go_to_its_stream),
		TEST(a_journald_that_does_not_read_is_not_waited_for),
		TEST(another_stream_is_not_journalds),
	};

	if (!enter_own_run()) {
		perror("a mount namespace of our own");
		return EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
