/*
 * Control's care for its children: starts them with their channel, snapshot, listeners and
 * channels to each other; drains their log lines; starts again the one that died, with the cause
 * logged, while the others go on and get a new channel to it.
 */
#ifndef PROCESS_SUPERVISE_H
#define PROCESS_SUPERVISE_H

#include "ipc/channel.h"
#include "net/loop.h"

struct supervisor;

struct supervisor_config {
	const char *programs; /* folder of the programs; NULL: where our own lies */
	/* A sealed snapshot for that process; the supervisor closes it. -1: cannot be had now. */
	int (*snapshot)(void *arg, enum process process);
	/* MESSAGE_READY too, after supervisor_child says so. */
	void (*message)(void *arg, enum process from, struct message *message);
	/* One line of a child, without its end; it was forwarded to stderr. May be NULL. */
	void (*line)(void *arg, struct slice line);
	/* A process of supervisor_run_once is over; `why` NULL: it ended as it wanted. May be NULL
	 * if there is none such. */
	void (*ended)(void *arg, enum process process, const char *why);
	void *arg;
};

struct supervisor_child {
	bool started; /* asked for */
	bool ready;   /* entered its sandbox and serves */
	int pid;      /* 0: not running */
	unsigned starts;
	char last_end[96]; /* "signal 11 (Segmentation fault)"; empty: never died */
};

struct supervisor *supervisor_create(struct loop *loop, const struct supervisor_config *config);
void supervisor_destroy(struct supervisor **supervisor); /* kills what still runs */

/* A listener for each (re)start of that process. Takes the descriptor. */
void supervisor_add_listener(struct supervisor *supervisor, enum process process, const char *name,
			     int fd);
void supervisor_start(struct supervisor *supervisor, enum process process);
/* What a process is started for: a message that it gets behind its start. */
struct supervisor_job {
	enum message_type type;
	struct slice body;
	int fd;
};
/* Once: it is not started again when it ends. Takes nothing. False: it runs already. */
bool supervisor_run_once(struct supervisor *supervisor, enum process process,
			 const struct supervisor_job *job);
/* Asks it to finish, and kills it if it does not in time. Not running: fine. */
void supervisor_dismiss(struct supervisor *supervisor, enum process process, unsigned within_ms);
bool supervisor_send(struct supervisor *supervisor, enum process to, enum message_type type,
		     uint32_t request, struct slice body);
/* Whether it runs, serves and has taken all that it was sent. */
bool supervisor_is_idle(const struct supervisor *supervisor, enum process process);
/* With a descriptor, which stays the caller's. */
bool supervisor_send_fd(struct supervisor *supervisor, enum process to, enum message_type type,
			uint32_t request, int fd);
/* Asks config.snapshot again for that child and hands it over, if it runs. */
void supervisor_settings_changed(struct supervisor *supervisor, enum process process);
/* Asks all to finish, kills what has not in time, then calls done(arg of the config) once, later.
 */
void supervisor_stop(struct supervisor *supervisor, unsigned within_ms, void (*done)(void *arg));
struct supervisor_child supervisor_child(const struct supervisor *supervisor, enum process process);

#endif
