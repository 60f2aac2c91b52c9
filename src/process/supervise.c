#include "process/supervise.h"

#include "base/alloc.h"
#include "ipc/wire.h"
#include "net/messenger.h"
#include "process/child_log.h"
#include "process/spawn.h"
#include "tables/events.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_PIPE_BYTES (1 << 20) /* what the system lets everybody have */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define STEADY_MS 60000 /* who lived so long starts again at once */
#define GONE_MS 2000	/* from closing its channel to its end; then it is stuck */

#define CONTAINER(part, type, member) ((type *)(void *)((char *)(part)-offsetof(type, member)))

struct listener {
	struct listener *next;
	enum process process;
	int fd;
	char name[];
};

struct child {
	struct supervisor *supervisor;
	enum process process;
	struct supervisor_child state;
	struct {
		bool wanted;
		enum message_type type;
		struct buffer body;
		int fd;
	} once; /* its job, if it is not one that goes on for ever */
	struct messenger *messenger;
	int far_end; /* of its channel and its log pipe, until it is forked; -1: none */
	int far_log;
	struct loop_io exit;
	struct child_log log;
	struct timer restart, kill;
	uint64_t started_ms;
	unsigned backoff_ms;
};

struct supervisor {
	struct loop *loop;
	struct supervisor_config config;
	char *programs;
	struct child children[PROCESS_COUNT];
	struct listener *listeners;
	struct loop_task start, stopped;
	bool stopping;
	void (*done)(void *arg);
};

/* Messages */

static void on_message(void *arg, struct message *message)
{
	struct child *child = arg;
	const struct supervisor_config *config = &child->supervisor->config;

	if (message->type == MESSAGE_READY)
		child->state.ready = true;
	config->message(config->arg, child->process, message);
}

/* Without its channel a child is of no use; mostly it is just about to be reaped. */
static void on_gone(void *arg)
{
	struct child *child = arg;

	messenger_destroy(&child->messenger);
	child->state.ready = false;
	if (!timer_is_armed(&child->kill))
		loop_arm(child->supervisor->loop, &child->kill, GONE_MS);
}

static const struct messenger_handler handler = { on_message, on_gone };

/* Starting */

static void start_later(struct child *child)
{
	if (child->supervisor->stopping)
		return;
	loop_arm(child->supervisor->loop, &child->restart, child->backoff_ms);
	child->backoff_ms *= 2;
	if (child->backoff_ms > BACKOFF_MAX_MS)
		child->backoff_ms = BACKOFF_MAX_MS;
}

static void close_far_ends(struct child *child)
{
	if (child->far_end >= 0)
		close(child->far_end);
	if (child->far_log >= 0)
		close(child->far_log);
	child->far_end = child->far_log = -1;
}

static void drop_job(struct child *child)
{
	if (child->once.wanted)
		close(child->once.fd);
	buffer_finish(&child->once.body);
	child->once.wanted = false;
}

/* Not running any more: again, or if it had one job, never. */
static void go_on_without(struct child *child, const char *why)
{
	const struct supervisor_config *config = &child->supervisor->config;

	if (!child->once.wanted) {
		start_later(child);
		return;
	}
	drop_job(child);
	child->state = (struct supervisor_child){ 0 };
	config->ended(config->arg, child->process, why);
}

static void give_up_start(struct child *child, const char *what, const char *why)
{
	log_event(EVENT_PROCESS_FAILED, "process=%s why=\"%s: %s\"", process_name(child->process),
		  what, why);
	messenger_destroy(&child->messenger);
	close_far_ends(child);
	child_log_close(&child->log);
	go_on_without(child, why);
}

static bool send_snapshot(struct child *child)
{
	const struct supervisor_config *config = &child->supervisor->config;
	int fd = config->snapshot(config->arg, child->process);
	bool sent;

	if (fd < 0)
		return false;
	sent = messenger_send(child->messenger, MESSAGE_SNAPSHOT, 0, (struct slice){ 0 }, fd);
	close(fd);
	return sent;
}

/* Its channel, its log pipe, and all that is for it alone; false: it was given up. */
static bool prepare(struct child *child)
{
	struct supervisor *supervisor = child->supervisor;
	int channel[2], log[2];

	if (pipe2(log, O_CLOEXEC | O_NONBLOCK) < 0) {
		give_up_start(child, "log pipe", strerror(errno));
		return false;
	}
	/* A burst of lines waits there; where it may not be so large, more are dropped and counted.
	 */
	fcntl(log[0], F_SETPIPE_SZ, LOG_PIPE_BYTES);
	child->far_log = log[1];
	child_log_open(&child->log, supervisor->loop, child->process, log[0],
		       supervisor->config.line, supervisor->config.arg);
	if (!channel_pair(channel)) {
		give_up_start(child, "channel", strerror(errno));
		return false;
	}
	child->far_end = channel[1];
	child->messenger = messenger_create(supervisor->loop, channel[0], PROCESS_CONTROL,
					    child->process, &handler, child);
	if (!send_snapshot(child)) {
		give_up_start(child, "settings", "there is no snapshot");
		return false;
	}
	for (const struct listener *l = supervisor->listeners; l; l = l->next) {
		if (l->process == child->process)
			messenger_send(child->messenger, MESSAGE_LISTENER, 0, slice_of(l->name),
				       l->fd);
	}
	return true;
}

static void send_peer(struct child *child, enum process peer, int fd)
{
	char body = (char)peer;

	messenger_send(child->messenger, MESSAGE_PEER, 0, (struct slice){ &body, 1 }, fd);
}

static bool is_fresh(const struct child *child)
{
	return child->far_end >= 0;
}

/* A channel between each two that may talk, of whom one is about to start. */
static void introduce(struct supervisor *supervisor)
{
	for (enum process a = 0; a < PROCESS_COUNT; a++) {
		for (enum process b = 0; b < a; b++) {
			struct child *one = &supervisor->children[a];
			struct child *other = &supervisor->children[b];
			int ends[2];

			if (!one->messenger || !other->messenger || !process_pair_may_talk(a, b) ||
			    !(is_fresh(one) || is_fresh(other)) || !channel_pair(ends))
				continue;
			send_peer(one, b, ends[0]);
			send_peer(other, a, ends[1]);
			close(ends[0]);
			close(ends[1]);
		}
	}
}

static void run(struct child *child)
{
	struct supervisor *supervisor = child->supervisor;
	char *program = xasprintf("%s/%s", supervisor->programs, process_program(child->process));
	pid_t pid;

	messenger_send(child->messenger, MESSAGE_START, 0, (struct slice){ 0 }, -1);
	if (child->once.wanted)
		messenger_send(child->messenger, child->once.type, 0,
			       (struct slice){ buffer_data(&child->once.body),
					       buffer_len(&child->once.body) },
			       child->once.fd);
	pid = spawn_program(program, child->far_end, child->far_log);
	free(program);
	if (pid < 0) {
		give_up_start(child, "fork", strerror(errno));
		return;
	}
	close_far_ends(child);
	child->exit.fd = pidfd_open(pid, 0);
	if (child->exit.fd < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		give_up_start(child, "pidfd", strerror(errno));
		return;
	}
	fcntl(child->exit.fd, F_SETFD, FD_CLOEXEC);
	loop_watch(supervisor->loop, &child->exit, true, false);
	child->state.pid = pid;
	child->started_ms = loop_now_ms(supervisor->loop);
	log_event(child->state.starts ? EVENT_PROCESS_RESTARTED : EVENT_PROCESS_START,
		  "process=%s pid=%d", process_name(child->process), pid);
	child->state.starts++;
}

/* All that wait for their start, in one go: so they know each other from the beginning. */
static void start_waiting(struct loop_task *task)
{
	struct supervisor *supervisor = CONTAINER(task, struct supervisor, start);
	bool fresh[PROCESS_COUNT] = { false };

	if (supervisor->stopping)
		return;
	for (enum process p = 0; p < PROCESS_COUNT; p++) {
		struct child *child = &supervisor->children[p];

		if (child->state.started && !child->state.pid && !timer_is_armed(&child->restart))
			fresh[p] = prepare(child);
	}
	introduce(supervisor);
	for (enum process p = 0; p < PROCESS_COUNT; p++) {
		if (fresh[p])
			run(&supervisor->children[p]);
	}
}

static void on_restart(struct timer *timer)
{
	struct child *child = CONTAINER(timer, struct child, restart);

	loop_defer(child->supervisor->loop, &child->supervisor->start);
}

/* Ending */

static void describe_end(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(text, size, "signal %d: its loop did not turn for %d s", SIGALRM,
			 LOOP_GUARD_S);
	else if (WIFSIGNALED(status))
		snprintf(text, size, "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(text, size, "exit status %d", WEXITSTATUS(status));
}

static void finish_if_all_ended(struct supervisor *supervisor)
{
	for (enum process p = 0; p < PROCESS_COUNT; p++) {
		if (supervisor->children[p].state.pid)
			return;
	}
	loop_defer(supervisor->loop, &supervisor->stopped);
}

static void take_end(struct child *child, int status)
{
	struct supervisor *supervisor = child->supervisor;
	uint64_t alive_ms = loop_now_ms(supervisor->loop) - child->started_ms;
	int pid = child->state.pid;
	char end[sizeof(child->state.last_end)];

	loop_unwatch(&child->exit);
	close(child->exit.fd);
	child_log_close(&child->log);
	messenger_destroy(&child->messenger);
	loop_disarm(supervisor->loop, &child->kill);
	child->state.pid = 0;
	child->state.ready = false;
	describe_end(status, end, sizeof(end));
	if (supervisor->stopping) {
		log_event(EVENT_PROCESS_STOP, "process=%s pid=%d why=\"%s\"",
			  process_name(child->process), pid, end);
		finish_if_all_ended(supervisor);
		return;
	}
	if (child->once.wanted && status == 0) {
		go_on_without(child, NULL);
		return;
	}
	memcpy(child->state.last_end, end, sizeof(end));
	log_event(EVENT_PROCESS_DIED, "process=%s pid=%d why=\"%s\" seconds=%llu",
		  process_name(child->process), pid, end, (unsigned long long)(alive_ms / 1000));
	if (alive_ms >= STEADY_MS)
		child->backoff_ms = BACKOFF_MIN_MS;
	go_on_without(child, end);
}

static void on_exit_of(struct loop_io *io, bool readable, bool writable)
{
	struct child *child = CONTAINER(io, struct child, exit);
	int status;

	if (waitpid(child->state.pid, &status, WNOHANG) == child->state.pid)
		take_end(child, status);
}

static void on_kill(struct timer *timer)
{
	struct child *child = CONTAINER(timer, struct child, kill);

	if (!child->state.pid)
		return;
	log_event(EVENT_PROCESS_KILLED, "process=%s pid=%d", process_name(child->process),
		  child->state.pid);
	kill(child->state.pid, SIGKILL);
}

static void on_stopped(struct loop_task *task)
{
	struct supervisor *supervisor = CONTAINER(task, struct supervisor, stopped);

	supervisor->done(supervisor->config.arg);
}

/* The module's face */

static char *own_folder(void)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len <= 0)
		return xstrdup(".");
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	return xstrdup(path);
}

struct supervisor *supervisor_create(struct loop *loop, const struct supervisor_config *config)
{
	struct supervisor *supervisor = xcalloc(1, sizeof(*supervisor));

	supervisor->loop = loop;
	supervisor->config = *config;
	supervisor->programs = config->programs ? xstrdup(config->programs) : own_folder();
	supervisor->start.run = start_waiting;
	supervisor->stopped.run = on_stopped;
	for (enum process p = 0; p < PROCESS_COUNT; p++) {
		struct child *child = &supervisor->children[p];

		child->supervisor = supervisor;
		child->process = p;
		child->far_end = child->far_log = child->exit.fd = -1;
		child->exit.ready = on_exit_of;
		child->restart.fire = on_restart;
		child->kill.fire = on_kill;
		child->backoff_ms = BACKOFF_MIN_MS;
	}
	return supervisor;
}

static void drop_child(struct child *child)
{
	struct loop *loop = child->supervisor->loop;

	if (child->state.pid) {
		kill(child->state.pid, SIGKILL);
		waitpid(child->state.pid, NULL, 0);
		loop_unwatch(&child->exit);
		close(child->exit.fd);
	}
	child_log_close(&child->log);
	messenger_destroy(&child->messenger);
	drop_job(child);
	loop_disarm(loop, &child->restart);
	loop_disarm(loop, &child->kill);
}

void supervisor_destroy(struct supervisor **supervisor_ref)
{
	struct supervisor *supervisor = *supervisor_ref;

	if (!supervisor)
		return;
	*supervisor_ref = NULL;
	for (enum process p = 0; p < PROCESS_COUNT; p++)
		drop_child(&supervisor->children[p]);
	loop_undefer(supervisor->loop, &supervisor->start);
	loop_undefer(supervisor->loop, &supervisor->stopped);
	while (supervisor->listeners) {
		struct listener *listener = supervisor->listeners;

		supervisor->listeners = listener->next;
		close(listener->fd);
		free(listener);
	}
	free(supervisor->programs);
	free(supervisor);
}

void supervisor_add_listener(struct supervisor *supervisor, enum process process, const char *name,
			     int fd)
{
	size_t size = strlen(name) + 1;
	struct listener *listener = xmalloc(sizeof(*listener) + size);
	struct listener **last = &supervisor->listeners;

	listener->process = process;
	listener->fd = fd;
	memcpy(listener->name, name, size);
	listener->next = NULL;
	while (*last) /* handed out in the order of the file: the first address is what others are
			 told */
		last = &(*last)->next;
	*last = listener;
}

void supervisor_start(struct supervisor *supervisor, enum process process)
{
	assert(process != PROCESS_CONTROL);
	supervisor->children[process].state.started = true;
	loop_defer(supervisor->loop, &supervisor->start);
}

bool supervisor_run_once(struct supervisor *supervisor, enum process process,
			 const struct supervisor_job *job)
{
	struct child *child = &supervisor->children[process];

	if (child->state.started || supervisor->stopping)
		return false;
	child->once.wanted = true;
	child->once.type = job->type;
	buffer_append_slice(&child->once.body, job->body);
	child->once.fd = fcntl(job->fd, F_DUPFD_CLOEXEC, 0);
	supervisor_start(supervisor, process);
	return true;
}

void supervisor_dismiss(struct supervisor *supervisor, enum process process, unsigned within_ms)
{
	struct child *child = &supervisor->children[process];

	if (!child->state.pid)
		return;
	if (child->messenger)
		messenger_send(child->messenger, MESSAGE_SHUTDOWN, 0, (struct slice){ 0 }, -1);
	loop_arm(supervisor->loop, &child->kill, within_ms);
}

bool supervisor_send(struct supervisor *supervisor, enum process to, enum message_type type,
		     uint32_t request, struct slice body)
{
	struct child *child = &supervisor->children[to];

	return child->messenger && messenger_send(child->messenger, type, request, body, -1);
}

bool supervisor_is_idle(const struct supervisor *supervisor, enum process process)
{
	const struct child *child = &supervisor->children[process];

	return child->messenger && child->state.ready && !messenger_is_behind(child->messenger);
}

bool supervisor_send_fd(struct supervisor *supervisor, enum process to, enum message_type type,
			uint32_t request, int fd)
{
	struct child *child = &supervisor->children[to];

	return child->messenger &&
	       messenger_send(child->messenger, type, request, (struct slice){ 0 }, fd);
}

void supervisor_settings_changed(struct supervisor *supervisor, enum process process)
{
	struct child *child = &supervisor->children[process];

	if (child->messenger && !send_snapshot(child))
		log_event(EVENT_PROCESS_FAILED, "process=%s why=\"settings cannot be handed over\"",
			  process_name(process));
}

void supervisor_stop(struct supervisor *supervisor, unsigned within_ms, void (*done)(void *arg))
{
	if (supervisor->stopping)
		return;
	supervisor->stopping = true;
	supervisor->done = done;
	for (enum process p = 0; p < PROCESS_COUNT; p++) {
		struct child *child = &supervisor->children[p];

		loop_disarm(supervisor->loop, &child->restart);
		if (!child->state.pid)
			continue;
		if (child->messenger)
			messenger_send(child->messenger, MESSAGE_SHUTDOWN, 0, (struct slice){ 0 },
				       -1);
		loop_arm(supervisor->loop, &child->kill, within_ms);
	}
	finish_if_all_ended(supervisor);
}

struct supervisor_child supervisor_child(const struct supervisor *supervisor, enum process process)
{
	return supervisor->children[process].state;
}
