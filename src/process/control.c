/*
 * sallyportd: the process that holds store, settings and secrets, and hears nobody but its own
 * children. It binds the listening sockets, starts the others, and gives each what it needs.
 */
#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "process/configure.h"
#include "process/diag_orders.h"
#include "process/listeners.h"
#include "process/log_sink.h"
#include "process/log_terms.h"
#include "process/report.h"
#include "process/secret_overlap.h"
#include "process/tries.h"
#include "process/view.h"
#include "tables/events.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define PROGRAM "sallyportd"
#define STOP_MARGIN_MS 2000 /* after timeouts.shutdown, for children to finish and be reaped */
#define USAGE_STATUS 2

static const enum process children[] = { PROCESS_TRAFFIC, PROCESS_MANAGE, PROCESS_RESOLVER };

struct control {
	struct bootstrap bootstrap;
	struct node node;
	struct listeners listeners;
	struct loop *loop;
	struct supervisor *supervisor;
	struct configure configure;
	struct tries *tries;
	struct secret_overlap *overlap;
	struct notices *notices;
	struct log_sink *log;
	struct log_terms *log_terms;
	struct captures *captures;
	struct diag_orders *diag;
	uint64_t generations[PROCESS_COUNT]; /* of the snapshots */
	bool told_ready;
};

/* A slow reader of the log must not stop us: its lines are dropped and counted (base/log.h). */
static void unblock_stderr(void)
{
	struct stat st;
	int fd;

	if (fstat(STDERR_FILENO, &st) < 0)
		return;
	if (S_ISSOCK(st.st_mode))
		fcntl(STDERR_FILENO, F_SETFL, fcntl(STDERR_FILENO, F_GETFL) | O_NONBLOCK);
	if (!S_ISFIFO(st.st_mode))
		return;
	/* Opened anew: the flag belongs to an opening, and this one is shared with whoever gave it.
	 */
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		dup2(fd, STDERR_FILENO);
		close(fd);
	}
}

static void apply_log_levels(const struct node *node, bool diagnosed)
{
	const struct setting *setting = setting_find("log.levels");
	const struct setting_value *value = store_value(node->store, setting);
	struct slice fields[SETTING_FIELDS_MAX];
	enum log_level level;

	for (enum event_module module = 0; module < EVENT_MODULE_COUNT; module++)
		event_levels[module] = diagnosed ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	if (diagnosed)
		return;
	for (size_t i = 0; i < value->count; i++) {
		char *module, *name;

		setting_split(setting, value->entries[i], fields);
		module = xstrndup(fields[0].data, fields[0].len);
		name = xstrndup(fields[1].data, fields[1].len);
		if (log_level_read(name, &level))
			log_set_level(module, level);
		free(module);
		free(name);
	}
}

/* Not before it serves. */
static bool is_diagnosed(const struct control *control)
{
	return control->diag &&
	       diagnostic_facts(diag_orders_diagnostic(control->diag)).state == DIAGNOSTIC_RUNNING;
}

static void apply_log(struct control *control)
{
	const struct store *store = control->node.store;

	apply_log_levels(&control->node, is_diagnosed(control));
	if (!is_diagnosed(control))
		log_terms_apply(control->log_terms);
	log_sink_set(control->log, strcmp(store_text(store, "log.format"), "json") == 0,
		     strtoul(store_text(store, "events.keep"), NULL, 10));
}

/* What the log's feed asks of us */

static bool manage_is_idle(void *arg)
{
	const struct control *control = arg;

	return supervisor_is_idle(control->supervisor, PROCESS_MANAGE);
}

static bool send_lines(void *arg, struct slice body)
{
	struct control *control = arg;

	return supervisor_send(control->supervisor, PROCESS_MANAGE, MESSAGE_EVENT, 0, body);
}

/* What the supervisor and the settings ask of us */

static int give_snapshot(void *arg, enum process process)
{
	struct control *control = arg;
	struct buffer out = { 0 };
	const char *why;
	int fd;

	view_write(&control->node, process, ++control->generations[process], &view_system, NULL,
		   &out);
	log_terms_levels(control->log_terms, &out);
	diagnostic_levels(diag_orders_diagnostic(control->diag), &out);
	fd = snapshot_seal(&out, &why);
	if (fd < 0)
		log_event(EVENT_SNAPSHOT_REFUSED, "process=%s why=\"%s\"", process_name(process),
			  why);
	return fd;
}

static void on_verbosity(void *arg)
{
	struct control *control = arg;

	apply_log(control);
	for (size_t i = 0; i < nitems(children); i++)
		supervisor_settings_changed(control->supervisor, children[i]);
}

static void on_line(void *arg, struct slice line)
{
	diagnostic_line(diag_orders_diagnostic(((struct control *)arg)->diag), line);
}

static void on_once_ended(void *arg, enum process process, const char *why)
{
	captures_ended(((struct control *)arg)->captures, why);
}

static void on_changed(void *arg, unsigned seen_by)
{
	struct control *control = arg;

	apply_log(control);
	log_terms_changed(control->log_terms);
	notices_changed(control->notices);
	secret_overlap_changed(control->overlap);
	for (size_t i = 0; i < nitems(children); i++) {
		if (view_bit(children[i]) & seen_by)
			supervisor_settings_changed(control->supervisor, children[i]);
	}
}

static void tell_ready_once(struct control *control)
{
	for (size_t i = 0; i < nitems(children); i++) {
		if (!supervisor_child(control->supervisor, children[i]).ready)
			return;
	}
	if (!control->told_ready)
		sd_notify(0, "READY=1");
	control->told_ready = true;
}

static void on_message(void *arg, enum process from, struct message *message)
{
	struct control *control = arg;
	struct buffer reply = { 0 };
	struct configure_try try;

	switch (message->type) {
	case MESSAGE_READY:
		if (from == PROCESS_MANAGE)
			log_feed_start(log_sink_feed(control->log));
		tell_ready_once(control);
		if (from == PROCESS_TRAFFIC)
			captures_traffic_ready(control->captures);
		return;
	case MESSAGE_CAPTURE_STATE:
		captures_take(control->captures, message->body);
		return;
	case MESSAGE_CONFIG:
		if (diag_orders_take(control->diag, message))
			return;
		configure(&control->configure, message->body, &reply, &try);
		if (try.wanted)
			tries_begin(control->tries, message->request, &try);
		else
			supervisor_send(control->supervisor, from, MESSAGE_CONFIG_REPLY,
					message->request,
					(struct slice){ buffer_data(&reply), buffer_len(&reply) });
		break;
	case MESSAGE_TRY_REPLY:
		tries_take(control->tries, message);
		break;
	case MESSAGE_LOADED:
		notices_loaded(control->notices, message->body);
		break;
	case MESSAGE_STATUS:
		report_write(&reply, &control->node, control->supervisor, &control->listeners);
		notices_report(control->notices, &reply);
		diagnostic_report(diag_orders_diagnostic(control->diag), &reply);
		captures_report(control->captures, &reply);
		supervisor_send(control->supervisor, from, MESSAGE_STATUS_REPLY, message->request,
				(struct slice){ buffer_data(&reply), buffer_len(&reply) });
		break;
	default:
		break; /* the table of messages lets nothing else come here */
	}
	buffer_finish(&reply);
}

static void on_stopped(void *arg)
{
	struct control *control = arg;

	loop_stop(control->loop);
}

static void on_stop_signal(void *arg)
{
	struct control *control = arg;
	long seconds = strtol(store_text(control->node.store, "timeouts.shutdown"), NULL, 10);

	sd_notify(0, "STOPPING=1");
	supervisor_stop(control->supervisor, (unsigned)seconds * 1000 + STOP_MARGIN_MS, on_stopped);
}

static void serve(struct control *control)
{
	const struct supervisor_config config = { .programs = control->bootstrap.programs,
						  .snapshot = give_snapshot,
						  .message = on_message,
						  .ended = on_once_ended,
						  .arg = control };

	control->loop = loop_create();
	control->supervisor = supervisor_create(control->loop, &config);
	control->captures = captures_create(control->loop, control->supervisor);
	control->diag = diag_orders_create(&(struct diag_orders_config){
		control->loop, &control->node, &control->listeners, control->supervisor,
		control->captures, on_verbosity, control });
	log_sink_tap(control->log, on_line, control);
	control->notices = notices_create(&control->node);
	control->configure =
		(struct configure){ &control->node, on_changed, control, control->notices };
	control->tries = tries_create(control->loop, control->supervisor);
	control->overlap = secret_overlap_create(control->loop, &control->configure);
	control->log_terms = log_terms_create(control->loop, &control->configure);
	log_feed_serve(
		log_sink_feed(control->log),
		&(struct log_feed_config){ control->loop, manage_is_idle, send_lines, control });
	loop_on_signal(control->loop, SIGTERM, on_stop_signal, control);
	loop_on_signal(control->loop, SIGINT, on_stop_signal, control);
	for (size_t i = 0; i < control->listeners.count; i++)
		supervisor_add_listener(control->supervisor, control->listeners.list[i].process,
					control->listeners.list[i].service,
					listeners_take(&control->listeners, i));
	for (size_t i = 0; i < nitems(children); i++)
		supervisor_start(control->supervisor, children[i]);
	loop_run(control->loop);
	log_feed_serve(log_sink_feed(control->log), NULL);
	log_terms_destroy(&control->log_terms);
	secret_overlap_destroy(&control->overlap);
	tries_destroy(&control->tries);
	supervisor_destroy(&control->supervisor); /* it still forwards lines */
	log_sink_tap(control->log, NULL, NULL);
	diag_orders_destroy(&control->diag);
	captures_destroy(&control->captures);
	notices_destroy(&control->notices);
	loop_destroy(&control->loop);
}

/* Nothing of ours may leak: no core of the secrets, no file that others may read. */
static void settle_down(const struct bootstrap *bootstrap)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* there is nothing to read again: settings are in the store */
	unblock_stderr();
	log_init(bootstrap->name, PROGRAM);
}

static int run(struct control *control)
{
	char *why = NULL;
	int status = EXIT_FAILURE;

	settle_down(&control->bootstrap);
	control->log = log_sink_create(STDERR_FILENO);
	log_event(EVENT_PROCESS_START, "role=%s pid=%d", control->bootstrap.role->name,
		  (int)getpid());
	if (!node_open(&control->node, &control->bootstrap, &why)) {
		log_event(EVENT_PROCESS_FAILED, "why=\"%s\"", why);
		free(why);
		return EXIT_FAILURE;
	}
	apply_log(control);
	if (listeners_open(&control->listeners, &control->bootstrap, &why)) {
		serve(control);
		listeners_finish(&control->listeners);
		log_event(EVENT_PROCESS_STOP, "pid=%d", (int)getpid());
		status = EXIT_SUCCESS;
	} else {
		log_event(EVENT_LISTENER_FAILED, "why=\"%s\"", why);
		free(why);
	}
	node_close(&control->node);
	return status;
}

static int check(const struct bootstrap *bootstrap, const char *path)
{
	char *why = NULL;

	if (node_verify(bootstrap, &why)) {
		printf("%s: ok\n", path);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "%s\n", why);
	free(why);
	return EXIT_FAILURE;
}

static int usage(void)
{
	fputs("usage: " PROGRAM " -c FILE [--check]\n", stderr);
	return USAGE_STATUS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
						 { "check", no_argument, NULL, 'k' },
						 { 0 } };
	struct control control = { 0 };
	const char *path = NULL;
	bool only_check = false;
	char *why = NULL;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (option == 'c')
			path = optarg;
		else if (option == 'k')
			only_check = true;
		else
			return usage();
	}
	if (!path || optind != argc)
		return usage();
	if (!bootstrap_read(path, &control.bootstrap, &why)) {
		fprintf(stderr, "%s\n", why);
		free(why);
		return EXIT_FAILURE;
	}
	status = only_check ? check(&control.bootstrap, path) : run(&control);
	log_sink_destroy(&control.log);
	bootstrap_finish(&control.bootstrap);
	return status;
}
