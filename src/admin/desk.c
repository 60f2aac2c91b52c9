#include "admin/desk.h"

#include "admin/asks.h"
#include "admin/lines_json.h"
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

/* A request that is not answered yet. */
struct job {
	struct job *next;
	uint64_t number;
	struct desk_asker asker;
	unsigned waits;	  /* for so many answers of processes */
	json_t *status;	  /* what is known so far; NULL: not a status */
	const char *verb; /* what of it is asked for; NULL: all. Of what is handed to control: whose
			   * lines are wanted as data; NULL: they are not */
	char *filter;	  /* of its rows; of the whole: that all is wanted; NULL: none */
	bool as_json;	  /* settings are asked for, as data; `setting`: this one alone */
	char *setting;
	const struct part *part; /* it is that one's; NULL: nobody's */
};

/* What registered. */
struct part {
	struct part *next;
	const struct desk_part *row;
	void *arg;
};

struct desk {
	struct desk_config config;
	struct asks *asks;
	struct job *jobs;
	struct part *parts;
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

static struct job *open_job(struct desk *desk, const struct desk_asker *asker)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->number = ++desk->numbers;
	job->asker = *asker;
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
	free(job->filter);
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
	while (desk->parts) {
		struct part *part = desk->parts;

		desk->parts = part->next;
		free(part);
	}
	free(desk);
}

void desk_register(struct desk *desk, const struct desk_part *rows, void *arg)
{
	for (; rows->verb; rows++) {
		struct part *part = xcalloc(1, sizeof(*part));

		*part = (struct part){ desk->parts, rows, arg };
		desk->parts = part;
	}
}

static const struct part *find_part(const struct desk *desk, const char *verb)
{
	const struct part *part = desk->parts;

	while (part && strcmp(part->row->verb, verb) != 0)
		part = part->next;
	return part;
}

static struct job *find_job(const struct desk *desk, uint64_t number)
{
	struct job *job = desk->jobs;

	while (job && job->number != number)
		job = job->next;
	return job;
}

void desk_reach(struct desk *desk, enum process process, struct messenger *messenger)
{
	asks_reach(desk->asks, process, messenger);
}

void desk_take(struct desk *desk, enum process from, const struct message *message)
{
	asks_take(desk->asks, from, message);
}

/* The one answer; the job is over before anybody hears it. */
static void answer(struct desk *desk, struct job *job, enum reply_status status, struct slice text,
		   json_t *data)
{
	struct desk_asker asker = job->asker;

	close_job(desk, job);
	asker.answer(asker.arg, asker.session, status, text, data);
}

void desk_tell(struct desk *desk, uint64_t number, const char *text, json_t *data)
{
	const struct job *job = find_job(desk, number);

	if (job)
		job->asker.tell(job->asker.arg, job->asker.session, slice_of(text), data);
}

void desk_answer(struct desk *desk, uint64_t number, enum reply_status status, const char *text,
		 json_t *data)
{
	struct job *job = find_job(desk, number);

	if (job)
		answer(desk, job, status, slice_of(text), data);
}

size_t desk_behind(const struct desk *desk, uint64_t number)
{
	const struct job *job = find_job(desk, number);

	return job && job->asker.behind ? job->asker.behind(job->asker.arg, job->asker.session) : 0;
}

void desk_leave(struct desk *desk, void *arg, uint64_t session)
{
	struct job *next;

	for (struct job *job = desk->jobs; job; job = next) {
		const struct part *part = job->part;
		uint64_t number = job->number;

		next = job->next;
		if (job->asker.arg != arg || job->asker.session != session)
			continue;
		close_job(desk, job);
		if (part && part->row->gone)
			part->row->gone(part->arg, number);
		return; /* one request of an asker at a time */
	}
}

static void finish_status(struct desk *desk, struct job *job)
{
	enum reply_status status = REPLY_DONE;
	json_t *data = NULL;
	char *text;

	watch_complete(desk->config.watch, job->status);
	if (!job->verb) {
		text = job->filter ? status_text(job->status) : status_brief(job->status);
		data = json_incref(job->status);
	} else if (!status_view(job->status, job->verb, job->filter, &text, &data)) {
		status = REPLY_FAILED;
	}
	answer(desk, job, status, slice_of(text), data);
	json_decref(data);
	free(text);
}

/* The verb `values` was asked for. */
static void finish_settings(struct desk *desk, struct job *job, struct slice text)
{
	json_t *data = settings_json(text, job->setting);

	if (data)
		answer(desk, job, REPLY_DONE, slice_of(""), data);
	else
		answer(desk, job, REPLY_FAILED, slice_of("no such setting"), NULL);
	json_decref(data);
}

/* A reply of control or traffic: u8 status (0: done), slice text. */
static void finish_forwarded(struct desk *desk, struct job *job, const struct ask_answer *said)
{
	struct wire in = wire_read(said->body);
	uint8_t status = wire_get_u8(&in);
	struct slice text = wire_get_slice(&in);
	char line[80];

	if (!said->why && wire_is_done(&in) && !status && job->as_json) {
		finish_settings(desk, job, text);
		return;
	}
	if (!said->why && wire_is_done(&in)) {
		json_t *data = !status && job->verb ? lines_json(job->verb, text) : NULL;

		answer(desk, job, status ? REPLY_FAILED : REPLY_DONE, text, data);
		json_decref(data);
		return;
	}
	snprintf(line, sizeof(line), "%s %s", process_name(said->from),
		 said->why ? said->why : "answers what cannot be read");
	answer(desk, job, REPLY_FAILED, slice_of(line), NULL);
}

static void on_answer(void *arg, uint64_t number, const struct ask_answer *said)
{
	struct desk *desk = arg;
	struct job *job = find_job(desk, number);

	if (!job)
		return;
	if (job->status && said->why)
		status_silent(job->status, said->from, said->why);
	else if (job->status && !status_add(job->status, said->from, said->body))
		status_silent(job->status, said->from, "answers what cannot be read");
	if (--job->waits)
		return;
	if (job->status)
		finish_status(desk, job);
	else
		finish_forwarded(desk, job, said);
}

static void ask_status(struct desk *desk, const struct desk_asker *asker, const char *verb,
		       const char *filter)
{
	static const enum process asked[] = { PROCESS_CONTROL, PROCESS_TRAFFIC };
	struct job *job = open_job(desk, asker);

	job->status = status_begin();
	job->verb = verb;
	job->filter = filter ? xstrdup(filter) : NULL;
	job->waits = nitems(asked);
	for (size_t i = 0; i < nitems(asked); i++)
		asks_send(desk->asks, asked[i], MESSAGE_STATUS, (struct slice){ 0 }, DESK_STATUS_MS,
			  job->number);
}

/* What is asked for, once it is granted. */
struct grant {
	const struct visitor *visitor;
	const struct command *command;
	const char *const *arguments;
	size_t count;
	bool json;
};

/* Settings have an answer of their own as data. */
static bool wants_values(const struct grant *grant)
{
	const char *verb = grant->command->verb;

	return grant->json && grant->command->place == COMMAND_CONTROL &&
	       (strcmp(verb, "show") == 0 || strcmp(verb, "get") == 0);
}

/* u16 count, then verb, author, arguments. */
static void forward(struct desk *desk, const struct desk_asker *asker, const struct grant *grant)
{
	bool configures = grant->command->place == COMMAND_CONTROL;
	struct job *job = open_job(desk, asker);
	struct buffer body = { 0 };

	job->as_json = wants_values(grant);
	if (job->as_json && strcmp(grant->command->verb, "get") == 0)
		job->setting = xstrdup(grant->arguments[0]);
	job->verb = grant->json ? grant->command->verb : NULL;
	wire_put_u16(&body, (uint16_t)(grant->count + 2));
	wire_put_text(&body, job->as_json ? "values" : grant->command->verb);
	wire_put_text(&body, grant->visitor->name);
	for (size_t i = 0; i < grant->count; i++)
		wire_put_text(&body, grant->arguments[i]);
	job->waits = 1;
	asks_send(desk->asks, configures ? PROCESS_CONTROL : PROCESS_TRAFFIC,
		  configures ? MESSAGE_CONFIG : MESSAGE_COMMAND,
		  (struct slice){ buffer_data(&body), buffer_len(&body) }, DESK_FORWARD_MS,
		  job->number);
	buffer_finish(&body);
}

static void hand_on(struct desk *desk, const struct desk_asker *asker, const struct grant *grant)
{
	struct job *job = open_job(desk, asker);
	struct errand errand = { .number = job->number,
				 .visitor = grant->visitor,
				 .words = grant->arguments,
				 .count = grant->count,
				 .json = grant->json };

	job->part = find_part(desk, grant->command->verb);
	if (job->part)
		job->part->row->run(job->part->arg, &errand);
	else
		answer(desk, job, REPLY_FAILED, slice_of("this node does not do that"), NULL);
}

/* What pages that are open ask again and again, and programs that watch the node. */
static bool is_look(const struct command *command)
{
	return command && command->place == COMMAND_STATUS && command->access < ACCESS_ADMIN;
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
		log_event(EVENT_ADMIN_REFUSED, "by=\"%s\" from=\"%s\" command=\"%s\" why=\"%s\"",
			  visitor->name, visitor->from, text, why);
	else if (is_look(command))
		log_event(EVENT_ADMIN_LOOKED, "by=\"%s\" from=\"%s\" command=\"%s\"", visitor->name,
			  visitor->from, text);
	else
		log_event(EVENT_ADMIN_REQUEST, "by=\"%s\" from=\"%s\" command=\"%s\"",
			  visitor->name, visitor->from, text);
	free(text);
}

/* The whole status takes one word, and no other. */
static bool takes(const struct command *command, const char *const *arguments, size_t count)
{
	bool is_whole = command->place == COMMAND_STATUS && !command->verb;

	return command_takes(command, count) &&
	       !(is_whole && count && strcmp(arguments[0], "--all") != 0);
}

/* Whether it may be asked for, and how it is refused if not. */
static const char *judge(const struct visitor *visitor, const struct command *command,
			 const char *const *arguments, size_t count, enum reply_status *status)
{
	*status = REPLY_UNKNOWN;
	if (!command || command->place == COMMAND_HERE)
		return "no such command";
	*status = REPLY_FAILED;
	if (visitor->is_node && !command->for_core)
		return "another node may not ask for that";
	if (visitor->access < command->access && command->access == ACCESS_ADMIN)
		return "only root, who runs the node, and administrators may do that";
	if (visitor->access < command->access)
		return "only root, who runs the node, administrators and operators may do that";
	*status = REPLY_UNKNOWN;
	if (!takes(command, arguments, count))
		return "not the arguments of this command";
	return NULL;
}

static void refuse(const struct desk_asker *asker, enum reply_status status, const char *why)
{
	asker->answer(asker->arg, asker->session, status, slice_of(why), NULL);
}

void desk_ask(struct desk *desk, const struct desk_asker *asker, const struct visitor *visitor,
	      const struct request *request)
{
	size_t named = 0;
	const struct command *command = command_find(request->words, request->count, &named);
	struct grant grant = { visitor, command, request->words + named, request->count - named,
			       request->json_wanted };
	enum reply_status status;
	const char *why = judge(visitor, command, grant.arguments, grant.count, &status), *added[4];

	if (!why && strcmp(command->words, "node add") == 0) {
		command_node_add(grant.arguments, grant.count, added, &why);
		grant.arguments = added;
		grant.count = nitems(added);
	}
	log_request(visitor, request, command, named, why);
	if (why)
		refuse(asker, status, why);
	else if (command->place == COMMAND_STATUS)
		ask_status(desk, asker, command->verb, grant.count ? grant.arguments[0] : NULL);
	else if (command->place == COMMAND_MANAGE)
		hand_on(desk, asker, &grant);
	else
		forward(desk, asker, &grant);
}
