#include "admin/desk.h"

#include "admin/asks.h"
#include "admin/settings_json.h"
#include "admin/status.h"
#include "admin/status_views.h"
#include "base/alloc.h"
#include "ctl/grammar.h"
#include "ipc/wire.h"
#include "tables/events.h"

#include <stdio.h>
#include <stdlib.h>

#define LOGGED_WORDS 6
#define AUTHOR_BYTES 32

/* A request that waits for other processes. */
struct job {
	struct job *next;
	uint64_t number, session;
	unsigned waits;	  /* for so many answers */
	json_t *status;	  /* what is known so far; NULL: not a status */
	const char *verb; /* what of it is asked for; NULL: all */
	bool as_json;	  /* settings are asked for, as data; `setting`: this one alone */
	char *setting;
};

struct desk {
	struct desk_config config;
	struct asks *asks;
	struct job *jobs;
	uint64_t numbers;
};

static void on_answer(void *arg, uint64_t number, const struct ask_answer *answer);

struct desk *desk_create(const struct desk_config *config)
{
	struct desk *desk = xcalloc(1, sizeof(*desk));

	desk->config = *config;
	desk->asks = asks_create(config->loop, on_answer, desk);
	return desk;
}

static struct job *open_job(struct desk *desk, uint64_t session)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->number = ++desk->numbers;
	job->session = session;
	job->next = desk->jobs;
	desk->jobs = job;
	return job;
}

static void close_job(struct desk *desk, struct job *job)
{
	struct job **at = &desk->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	json_decref(job->status);
	free(job->setting);
	free(job);
}

void desk_destroy(struct desk **desk_ref)
{
	struct desk *desk = *desk_ref;

	if (!desk)
		return;
	*desk_ref = NULL;
	asks_destroy(&desk->asks);
	while (desk->jobs)
		close_job(desk, desk->jobs);
	free(desk);
}

void desk_reach(struct desk *desk, enum process process, struct messenger *messenger)
{
	asks_reach(desk->asks, process, messenger);
}

void desk_take(struct desk *desk, enum process from, const struct message *message)
{
	asks_take(desk->asks, from, message);
}

void desk_answer(struct desk *desk, uint64_t session, enum reply_status status, const char *text)
{
	desk->config.answer(desk->config.arg, session, status, slice_of(text), NULL);
}

static void finish_status(struct desk *desk, struct job *job)
{
	enum reply_status status = REPLY_DONE;
	json_t *data = NULL;
	char *text;

	watch_complete(desk->config.watch, job->status);
	if (!job->verb) {
		text = status_text(job->status);
		data = json_incref(job->status);
	} else if (!status_view(job->status, job->verb, &text, &data)) {
		status = REPLY_FAILED;
	}
	desk->config.answer(desk->config.arg, job->session, status, slice_of(text), data);
	json_decref(data);
	free(text);
}

/* The verb `values` was asked for. */
static void finish_settings(struct desk *desk, struct job *job, struct slice text)
{
	json_t *data = settings_json(text, job->setting);

	if (data)
		desk->config.answer(desk->config.arg, job->session, REPLY_DONE, slice_of(""), data);
	else
		desk_answer(desk, job->session, REPLY_FAILED, "no such setting");
	json_decref(data);
}

/* A reply of control or traffic: u8 status (0: done), slice text. */
static void finish_forwarded(struct desk *desk, struct job *job, const struct ask_answer *answer)
{
	struct wire in = wire_read(answer->body);
	uint8_t status = wire_get_u8(&in);
	struct slice text = wire_get_slice(&in);
	char line[80];

	if (!answer->why && wire_is_done(&in) && !status && job->as_json) {
		finish_settings(desk, job, text);
		return;
	}
	if (!answer->why && wire_is_done(&in)) {
		desk->config.answer(desk->config.arg, job->session,
				    status ? REPLY_FAILED : REPLY_DONE, text, NULL);
		return;
	}
	snprintf(line, sizeof(line), "%s %s", process_name(answer->from),
		 answer->why ? answer->why : "answers what cannot be read");
	desk_answer(desk, job->session, REPLY_FAILED, line);
}

static void on_answer(void *arg, uint64_t number, const struct ask_answer *answer)
{
	struct desk *desk = arg;
	struct job *job = desk->jobs;

	while (job && job->number != number)
		job = job->next;
	if (!job)
		return;
	if (job->status && answer->why)
		status_silent(job->status, answer->from, answer->why);
	else if (job->status && !status_add(job->status, answer->from, answer->body))
		status_silent(job->status, answer->from, "answers what cannot be read");
	if (--job->waits)
		return;
	if (job->status)
		finish_status(desk, job);
	else
		finish_forwarded(desk, job, answer);
	close_job(desk, job);
}

static void ask_status(struct desk *desk, uint64_t session, const char *verb)
{
	static const enum process asked[] = { PROCESS_CONTROL, PROCESS_TRAFFIC };
	struct job *job = open_job(desk, session);

	job->status = status_begin();
	job->verb = verb;
	job->waits = nitems(asked);
	for (size_t i = 0; i < nitems(asked); i++)
		asks_send(desk->asks, asked[i], MESSAGE_STATUS, (struct slice){ 0 }, DESK_STATUS_MS,
			  job->number);
}

/* In whose name the history and the log have it. */
static void name_author(const struct visitor *visitor, char author[AUTHOR_BYTES])
{
	if (visitor->uid != 0)
		snprintf(author, AUTHOR_BYTES, "uid %u", (unsigned)visitor->uid);
	else
		snprintf(author, AUTHOR_BYTES, "root");
}

/* u16 count, then verb, author, arguments. */
static void forward(struct desk *desk, uint64_t session, const char *author,
		    const struct command *command, const char *const *arguments, size_t count)
{
	bool configures = command->place == COMMAND_CONTROL;
	struct job *job = open_job(desk, session);
	struct buffer body = { 0 };

	if (configures && count && strcmp(arguments[0], "--json") == 0) {
		job->as_json = true;
		arguments++;
		count--;
		if (strcmp(command->verb, "get") == 0 && count)
			job->setting = xstrdup(arguments[0]);
	}
	wire_put_u16(&body, (uint16_t)(count + 2));
	wire_put_text(&body, job->as_json ? "values" : command->verb);
	wire_put_text(&body, author);
	for (size_t i = 0; i < count; i++)
		wire_put_text(&body, arguments[i]);
	job->waits = 1;
	asks_send(desk->asks, configures ? PROCESS_CONTROL : PROCESS_TRAFFIC,
		  configures ? MESSAGE_CONFIG : MESSAGE_COMMAND,
		  (struct slice){ buffer_data(&body), buffer_len(&body) }, DESK_FORWARD_MS,
		  job->number);
	buffer_finish(&body);
}

static void hand_on(struct desk *desk, uint64_t session, const struct visitor *visitor,
		    const struct command *command, const char *const *arguments, size_t count)
{
	char author[AUTHOR_BYTES];

	name_author(visitor, author);
	if (command->place == COMMAND_MANAGE)
		desk->config.manage(desk->config.arg, session, author, command->verb, arguments,
				    count);
	else
		forward(desk, session, author, command, arguments, count);
}

/* `why` NULL: it was granted. Of a setting's change only the name is logged. */
static void log_request(const struct visitor *visitor, const struct request *request,
			const struct command *command, size_t named, const char *why)
{
	size_t shown = !command		     ? 2
		       : command->hides	     ? named
		       : command->from_files ? named + 1
					     : LOGGED_WORDS;
	struct buffer words = { 0 };
	char *text;

	for (size_t i = 0; i < request->count && i < shown; i++)
		buffer_printf(&words, "%s%s", i ? " " : "", log_text(request->words[i]));
	if (request->count > shown)
		buffer_printf(&words, " +%zu", request->count - shown);
	text = buffer_take_text(&words);
	if (why)
		log_event(EVENT_ADMIN_REFUSED, "uid=%u pid=%d command=\"%s\" why=\"%s\"",
			  (unsigned)visitor->uid, (int)visitor->pid, text, why);
	else
		log_event(EVENT_ADMIN_REQUEST, "uid=%u pid=%d command=\"%s\"",
			  (unsigned)visitor->uid, (int)visitor->pid, text);
	free(text);
}

/* Whether it may be asked for, and how it is refused if not. */
static const char *judge(const struct visitor *visitor, const struct command *command,
			 size_t arguments, enum reply_status *status)
{
	*status = REPLY_UNKNOWN;
	if (!command || command->place == COMMAND_HERE)
		return "no such command";
	if (!visitor->may_change && !command->for_all) {
		*status = REPLY_FAILED;
		return "only root and who runs the node may do that";
	}
	if (!command_takes(command, arguments))
		return "not the arguments of this command";
	return NULL;
}

void desk_ask(struct desk *desk, uint64_t session, const struct visitor *visitor,
	      const struct request *request)
{
	size_t named = 0;
	const struct command *command = command_find(request->words, request->count, &named);
	const char *const *arguments = request->words + named;
	size_t count = request->count - named;
	enum reply_status status;
	const char *why = judge(visitor, command, count, &status), *added[4];

	if (!why && strcmp(command->words, "node add") == 0) {
		command_node_add(arguments, count, added, &why);
		arguments = added;
		count = nitems(added);
	}
	log_request(visitor, request, command, named, why);
	if (why)
		desk_answer(desk, session, status, why);
	else if (command->place == COMMAND_STATUS)
		ask_status(desk, session, command->verb);
	else
		hand_on(desk, session, visitor, command, arguments, count);
}
