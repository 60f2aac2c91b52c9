/*
 * The real sallyport-manage and the real sallyport, with this test as control and traffic.
 */
#include "base/alloc.h"
#include "ipc/channel.h"
#include "ipc/snapshot.h"
#include "ipc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 10000
#define OUTPUT_BYTES 65536
#define NOBODY 65534
#define NO_BODY ((struct slice){ 0 })

struct node {
	char folder[40], path[64]; /* of the control socket */
	int listener;
	pid_t manage;
	struct channel *control, *traffic;
};

struct run {
	pid_t pid;
	int out; /* a memfd */
	char text[OUTPUT_BYTES];
};

static const char *program(const char *variable)
{
	const char *path = getenv(variable);

	return path ? path : "its path is not in the environment";
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static void start_program(struct node *node)
{
	int fds[2];

	assert_true(channel_pair(fds));
	node->manage = fork();
	if (node->manage == 0) {
		int fd = dup(
			fds[1]); /* so that it is not 3 already, which would stay close-on-exec */

		dup2(fd, CHANNEL_CONTROL_FD);
		execl(program("MANAGE"), "sallyport-manage", (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	node->control = channel_create(fds[0], PROCESS_CONTROL, PROCESS_MANAGE);
}

static void send_snapshot(struct node *node)
{
	struct buffer bytes = { 0 };
	const char *why;
	int fd;

	snapshot_begin(&bytes, 1, 1);
	snapshot_add_text(&bytes, "node.name", "edge-a");
	snapshot_add(&bytes,
		     &(struct snapshot_record){ 3,
						{ slice_of("log.levels"), slice_of("network.admin"),
						  slice_of("error") } });
	fd = snapshot_seal(&bytes, &why);
	assert_true(channel_send(node->control, MESSAGE_SNAPSHOT, 0, NO_BODY, fd));
	close(fd);
}

/* Manage gets a new channel to traffic, whose other end is ours. */
static void send_traffic(struct node *node)
{
	struct buffer body = { 0 };
	int fds[2];

	assert_true(channel_pair(fds));
	wire_put_u8(&body, PROCESS_TRAFFIC);
	assert_true(channel_send(node->control, MESSAGE_PEER, 0,
				 (struct slice){ buffer_data(&body), buffer_len(&body) }, fds[1]));
	close(fds[1]);
	buffer_finish(&body);
	channel_destroy(&node->traffic);
	node->traffic = channel_create(fds[0], PROCESS_TRAFFIC, PROCESS_MANAGE);
}

static int set_up(void **state)
{
	struct node *node = xcalloc(1, sizeof(*node));
	struct message message;

	snprintf(node->folder, sizeof(node->folder), "/tmp/sallyport-manage-XXXXXX");
	assert_non_null(mkdtemp(node->folder));
	assert_int_equal(chmod(node->folder, 0755), 0);
	snprintf(node->path, sizeof(node->path), "%s/control.sock", node->folder);
	node->listener = listen_at(node->path);
	start_program(node);
	send_snapshot(node);
	assert_true(channel_send(node->control, MESSAGE_LISTENER, 0, slice_of("control"),
				 node->listener));
	send_traffic(node);
	assert_true(channel_send(node->control, MESSAGE_START, 0, NO_BODY, -1));
	assert_int_equal(channel_wait(node->control, &message, WAIT_MS), CHANNEL_MESSAGE);
	assert_int_equal(message.type, MESSAGE_READY);
	*state = node;
	return 0;
}

static int tear_down(void **state)
{
	struct node *node = *state;
	int status = -1;

	channel_send(node->control, MESSAGE_SHUTDOWN, 0, NO_BODY, -1);
	waitpid(node->manage, &status, 0);
	channel_destroy(&node->control);
	channel_destroy(&node->traffic);
	close(node->listener);
	unlink(node->path);
	rmdir(node->folder);
	free(node);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* Starts `sallyport -s SOCKET WORDS...`; the list ends with NULL. */
static void ask(struct run *run, const struct node *node, const char *const *words)
{
	char *argv[16] = { xstrdup("sallyport"), xstrdup("-s"), xstrdup(node->path) };
	size_t count = 3;

	while (*words)
		argv[count++] = xstrdup(*words++);
	run->out = memfd_create("out", 0);
	run->pid = fork();
	if (run->pid == 0) {
		dup2(run->out, STDOUT_FILENO);
		dup2(run->out, STDERR_FILENO);
		execv(program("SALLYPORT"), argv);
		_exit(127);
	}
	while (count)
		free(argv[--count]);
}

#define ASK(run, node, ...) ask(run, node, (const char *const[]){ __VA_ARGS__, NULL })

/* Waits for its end; returns its exit code, with what it printed in run->text. */
static int ended(struct run *run)
{
	ssize_t got;
	int status = -1;

	waitpid(run->pid, &status, 0);
	got = pread(run->out, run->text, sizeof(run->text) - 1, 0);
	run->text[got > 0 ? got : 0] = '\0';
	close(run->out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The next message must be of that type; its words are joined by |. Returns its request id. */
static uint32_t hears(struct channel *channel, enum message_type type, char *words, size_t size)
{
	struct message message;
	struct wire in;
	uint16_t count;

	do { /* the brief ones are of manage's own watch */
		assert_int_equal(channel_wait(channel, &message, WAIT_MS), CHANNEL_MESSAGE);
	} while (message.type == MESSAGE_STATUS && message.body.len);
	assert_int_equal(message.type, type);
	if (words) {
		in = wire_read(message.body);
		count = wire_get_u16(&in);
		words[0] = '\0';
		for (uint16_t i = 0; i < count; i++) {
			struct slice word = wire_get_slice(&in);

			snprintf(words + strlen(words), size - strlen(words), "%s%.*s",
				 i ? "|" : "", SLICE_ARGS(word));
		}
		assert_true(wire_is_done(&in));
	}
	return message.request;
}

static void says(struct channel *channel, enum message_type type, uint32_t request, uint8_t status,
		 const char *text)
{
	struct buffer body = { 0 };

	wire_put_u8(&body, status);
	wire_put_text(&body, text);
	assert_true(channel_send(channel, type, request,
				 (struct slice){ buffer_data(&body), buffer_len(&body) }, -1));
	buffer_finish(&body);
}

/* One record, its fields separated by commas. */
static void reports(struct channel *channel, uint32_t request, const char *row)
{
	struct snapshot_record record = { 0 };
	struct buffer body = { 0 };

	for (const char *at = row;; at++) {
		size_t len = strcspn(at, ",");

		record.fields[record.count++] = (struct slice){ at, len };
		at += len;
		if (!*at)
			break;
	}
	snapshot_begin(&body, 1, 1);
	snapshot_add(&body, &record);
	assert_true(channel_send(channel, MESSAGE_STATUS_REPLY, request,
				 (struct slice){ buffer_data(&body), buffer_len(&body) }, -1));
	buffer_finish(&body);
}

static void what_the_node_is_told_reaches_control_with_who_said_it(void **state)
{
	struct node *node = *state;
	char words[256], expected[256];
	uint32_t request;
	struct run run;

	ASK(&run, node, "config", "set", "federation.enabled", "on");
	request = hears(node->control, MESSAGE_CONFIG, words, sizeof(words));
	if (getuid() == 0)
		snprintf(expected, sizeof(expected), "set|root|federation.enabled|on");
	else
		snprintf(expected, sizeof(expected), "set|uid %u|federation.enabled|on",
			 (unsigned)getuid());
	assert_string_equal(words, expected);
	says(node->control, MESSAGE_CONFIG_REPLY, request, 0, "federation.enabled: off -> on");
	assert_int_equal(ended(&run), 0);
	assert_string_equal(run.text, "federation.enabled: off -> on\n");
}

static void a_refusal_is_printed_and_is_exit_code_1(void **state)
{
	struct node *node = *state;
	uint32_t request;
	struct run run;

	ASK(&run, node, "config", "get", "no.such");
	request = hears(node->control, MESSAGE_CONFIG, NULL, 0);
	says(node->control, MESSAGE_CONFIG_REPLY, request, 1, "no.such: no such setting");
	assert_int_equal(ended(&run), 1);
	assert_string_equal(run.text, "sallyport: no.such: no such setting\n");
}

static void a_value_can_come_from_a_file(void **state)
{
	struct node *node = *state;
	char path[] = "/tmp/sallyport-value-XXXXXX", at[40], words[256];
	int fd = mkstemp(path);
	uint32_t request;
	struct run run;

	assert_int_equal(write(fd, "one\ntwo\n", 8), 8);
	close(fd);
	snprintf(at, sizeof(at), "@%s", path);
	ASK(&run, node, "config", "set", "a", at, "@@b");
	request = hears(node->control, MESSAGE_CONFIG, words, sizeof(words));
	assert_non_null(strstr(words, "|a|one\ntwo|@b"));
	says(node->control, MESSAGE_CONFIG_REPLY, request, 0, "");
	assert_int_equal(ended(&run), 0);
	unlink(path);
	ASK(&run, node, "config", "set", "a", at);
	assert_int_equal(ended(&run), 1);
	assert_non_null(strstr(run.text, "No such file or directory"));
}

static void a_large_value_arrives_whole(void **state)
{
	struct node *node = *state;
	char path[] = "/tmp/sallyport-value-XXXXXX", at[40];
	static char bytes[1000000], words[1000200];
	int fd = mkstemp(path);
	uint32_t request;
	struct run run;

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	snprintf(at, sizeof(at), "@%s", path);
	ASK(&run, node, "config", "set", "a", at);
	request = hears(node->control, MESSAGE_CONFIG, words, sizeof(words));
	assert_int_equal(strlen(strrchr(words, '|') + 1), sizeof(bytes));
	says(node->control, MESSAGE_CONFIG_REPLY, request, 0, "done");
	assert_int_equal(ended(&run), 0);
	unlink(path);
}

static void a_node_is_added_with_all_that_control_wants(void **state)
{
	struct node *node = *state;
	char words[256];
	uint32_t request;
	struct run run;

	ASK(&run, node, "node", "add", "core-a", "pin=ab12", "role=core");
	request = hears(node->control, MESSAGE_CONFIG, words, sizeof(words));
	assert_non_null(strstr(words, "node-add|"));
	assert_non_null(strstr(words, "|core-a|core|-|ab12"));
	says(node->control, MESSAGE_CONFIG_REPLY, request, 0, "added");
	assert_int_equal(ended(&run), 0);
	ASK(&run, node, "node", "add", "core-a", "pin=ab12", "pin=cd34");
	assert_int_equal(ended(&run), 2);
	assert_string_equal(run.text, "sallyport: the same is said twice\n");
}

static void commands_for_streams_go_to_traffic(void **state)
{
	struct node *node = *state;
	char words[256];
	uint32_t request;
	struct run run;

	ASK(&run, node, "retry", "example.net");
	request = hears(node->traffic, MESSAGE_COMMAND, words, sizeof(words));
	assert_int_equal(strncmp(words, "retry|", 6), 0);
	assert_non_null(strstr(words, "|example.net"));
	says(node->traffic, MESSAGE_COMMAND_REPLY, request, 0, "trying example.net");
	assert_int_equal(ended(&run), 0);
	assert_string_equal(run.text, "trying example.net\n");
}

static void status_is_what_control_and_traffic_report(void **state)
{
	struct node *node = *state;
	struct run run;

	ASK(&run, node, "status");
	reports(node->control, hears(node->control, MESSAGE_STATUS, NULL, 0),
		"node,edge-a,edge,ab12");
	reports(node->traffic, hears(node->traffic, MESSAGE_STATUS, NULL, 0),
		"link,core-a,core,up,in,0,5,");
	assert_int_equal(ended(&run), 0);
	assert_int_equal(
		strncmp(run.text, "edge-a (edge): up, 1 of 1 links, 0 streams\nfederation", 53), 0);

	ASK(&run, node, "status", "--all");
	reports(node->control, hears(node->control, MESSAGE_STATUS, NULL, 0),
		"node,edge-a,edge,ab12");
	reports(node->traffic, hears(node->traffic, MESSAGE_STATUS, NULL, 0),
		"link,core-a,core,up,in,0,5,");
	assert_int_equal(ended(&run), 0);
	assert_int_equal(
		strncmp(run.text, "edge-a (edge): up, 1 of 1 links, 0 streams\n\nLINK", 48), 0);
	assert_non_null(strstr(run.text, "pin ab12"));
	ASK(&run, node, "status", "links");
	assert_int_equal(ended(&run), 2);

	ASK(&run, node, "status", "--json");
	reports(node->control, hears(node->control, MESSAGE_STATUS, NULL, 0),
		"node,edge-a,edge,ab12");
	reports(node->traffic, hears(node->traffic, MESSAGE_STATUS, NULL, 0), "other");
	assert_int_equal(ended(&run), 0);
	assert_int_equal(run.text[0], '{');
	assert_non_null(strstr(run.text, "\"verdict\": \"edge-a (edge): up, 0 streams\""));
}

static void who_does_not_answer_is_said_and_the_rest_shown(void **state)
{
	struct node *node = *state;
	struct run run;

	ASK(&run, node, "status");
	reports(node->control, hears(node->control, MESSAGE_STATUS, NULL, 0),
		"node,edge-a,edge,ab12");
	assert_int_equal(ended(&run), 1);
	assert_non_null(strstr(run.text, "edge-a (edge): traffic does not answer\nfederation"));
	hears(node->traffic, MESSAGE_STATUS, NULL, 0);
}

static void traffic_may_end_and_come_back(void **state)
{
	struct node *node = *state;
	uint32_t request;
	struct run run;

	ASK(&run, node, "close", "34A9B60C8");
	hears(node->traffic, MESSAGE_COMMAND, NULL, 0);
	channel_destroy(&node->traffic);
	assert_int_equal(ended(&run), 1);
	assert_string_equal(run.text, "sallyport: traffic has just ended\n");

	ASK(&run, node, "close", "34A9B60C8");
	assert_int_equal(ended(&run), 1);
	assert_string_equal(run.text, "sallyport: traffic is not running\n");

	send_traffic(node);
	/* The new channel is used once control's message about it has been read: ask until then. */
	ASK(&run, node, "config", "history");
	request = hears(node->control, MESSAGE_CONFIG, NULL, 0);
	says(node->control, MESSAGE_CONFIG_REPLY, request, 0, "");
	assert_int_equal(ended(&run), 0);
	ASK(&run, node, "close", "34A9B60C8");
	request = hears(node->traffic, MESSAGE_COMMAND, NULL, 0);
	says(node->traffic, MESSAGE_COMMAND_REPLY, request, 0, "closed");
	assert_int_equal(ended(&run), 0);
}

/* Talks to the socket without sallyport, as `uid` if we are root. Returns the first line. */
static const char *raw(const struct node *node, uid_t uid, const char *line)
{
	static char answer[4096];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;
	ssize_t got;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", node->path);
	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(seteuid(getuid()), 0);
	send(fd, line, strlen(line), MSG_NOSIGNAL);
	while ((got = recv(fd, answer + len, sizeof(answer) - 1 - len, 0)) > 0) {
		len += (size_t)got;
		if (memchr(answer, '\n', len))
			break;
	}
	answer[len] = '\0';
	close(fd);
	return answer;
}

static void garbage_is_answered_and_harms_nobody(void **state)
{
	struct node *node = *state;
	uint32_t request;
	struct run run;

	assert_non_null(
		strstr(raw(node, geteuid(), "GET / HTTP/1.1\n"), "cannot be read: not JSON"));
	assert_non_null(strstr(raw(node, geteuid(), "{\"command\":[\"help\"]}\n"), "\"status\":2"));
	ASK(&run, node, "config", "history");
	request = hears(node->control, MESSAGE_CONFIG, NULL, 0);
	says(node->control, MESSAGE_CONFIG_REPLY, request, 0, "");
	assert_int_equal(ended(&run), 0);
}

static void others_may_look_and_nothing_else(void **state)
{
	struct node *node = *state;

	if (getuid() != 0)
		return; /* nobody else to be; control_socket_test has the same with two owners */
	assert_non_null(strstr(raw(node, NOBODY, "{\"command\":[\"config\",\"show\"]}\n"),
			       "only root, who runs the node, administrators"));
	assert_non_null(strstr(raw(node, NOBODY, "{\"command\":[\"status\"]}\n"),
			       "{\"status\":0,\"text\":\"this node: control does not answer"));
	assert_non_null(strstr(raw(node, NOBODY, "{\"command\":[\"retry\",\"a\"]}\n"),
			       "only root, who runs the node, administrators"));
}

static void new_settings_are_taken_and_broken_ones_are_not(void **state)
{
	struct node *node = *state;
	int broken = memfd_create("broken", MFD_ALLOW_SEALING);
	uint32_t request;
	struct run run;

	assert_true(channel_send(node->control, MESSAGE_SNAPSHOT, 0, NO_BODY, broken));
	close(broken);
	send_snapshot(node);
	ASK(&run, node, "config", "history");
	request = hears(node->control, MESSAGE_CONFIG, NULL, 0);
	says(node->control, MESSAGE_CONFIG_REPLY, request, 0, "");
	assert_int_equal(ended(&run), 0);
}

static void errors_of_use_are_clear(void **state)
{
	struct node nowhere = { .path = "/nonexistent/control.sock" };
	struct run run;

	ASK(&run, &nowhere, "status");
	assert_int_equal(ended(&run), 2); /* neither well nor not */
	assert_string_equal(run.text, "sallyport: no node runs here: /nonexistent/control.sock "
				      "does not exist\n");
	ASK(&run, &nowhere, "alarms");
	assert_int_equal(ended(&run), 1);
	ASK(&run, &nowhere, "config", "get");
	assert_int_equal(ended(&run), 2);
	assert_string_equal(run.text, "usage: sallyport config get [--json] NAME\n");
	ASK(&run, &nowhere, "frobnicate");
	assert_int_equal(ended(&run), 2);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_NODE(what_the_node_is_told_reaches_control_with_who_said_it),
		WITH_NODE(a_refusal_is_printed_and_is_exit_code_1),
		WITH_NODE(a_value_can_come_from_a_file),
		WITH_NODE(a_large_value_arrives_whole),
		WITH_NODE(a_node_is_added_with_all_that_control_wants),
		WITH_NODE(commands_for_streams_go_to_traffic),
		WITH_NODE(status_is_what_control_and_traffic_report),
		WITH_NODE(who_does_not_answer_is_said_and_the_rest_shown),
		WITH_NODE(traffic_may_end_and_come_back),
		WITH_NODE(garbage_is_answered_and_harms_nobody),
		WITH_NODE(others_may_look_and_nothing_else),
		WITH_NODE(new_settings_are_taken_and_broken_ones_are_not),
		cmocka_unit_test(errors_of_use_are_clear),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
