/*
 * The command: finds the node's control socket, asks what the words say, prints the answer.
 * Exit code 0: done; 1: refused or failed; 2: no such command, or not its arguments. Of a command
 * that judges (grammar.h) 0: well; 1: not well; 2: no answer.
 */
#include "base/alloc.h"
#include "ctl/bootstrap.h"
#include "ctl/client.h"
#include "ctl/grammar.h"
#include "ctl/guess.h"
#include "ctl/save.h"
#include "ctl/screen.h"
#include "ctl/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USAGE REPLY_UNKNOWN
#define NO_ANSWER 2 /* to a command that judges */

extern const char completion_bash[], completion_zsh[], completion_fish[]; /* made by ctl/pages */

struct job {
	const char *file, *socket; /* -c, -s */
	const struct command *command;
	const char *const *words;
	size_t count, named; /* words; how many of them name the command */
	bool json;
	struct save *save; /* where the answer goes; NULL: to standard output */
};

static void print(FILE *to, struct slice text)
{
	char *shown = isatty(fileno(to)) ? screen_text(text) : xstrndup(text.data, text.len);
	size_t len = strlen(shown);

	fprintf(to, "%s%s", shown, len && shown[len - 1] != '\n' ? "\n" : "");
	free(shown);
}

static void print_buffer(FILE *to, struct buffer *out)
{
	print(to, (struct slice){ buffer_data(out), buffer_len(out) });
	buffer_finish(out);
}

static int fail(const char *format, const char *what)
{
	char *text = xasprintf("sallyport: %s%s", format, what);

	print(stderr, slice_of(text));
	free(text);
	return REPLY_FAILED;
}

static int completion(const char *shell)
{
	static const struct {
		const char *shell, *script;
	} scripts[] = { { "bash", completion_bash },
			{ "zsh", completion_zsh },
			{ "fish", completion_fish } };

	for (size_t i = 0; i < nitems(scripts); i++) {
		if (strcmp(scripts[i].shell, shell) == 0)
			return fputs(scripts[i].script, stdout) < 0 ? REPLY_FAILED : REPLY_DONE;
	}
	fail("a shell that is not known: ", shell);
	return USAGE;
}

static int help(const struct job *job)
{
	const struct command *about = NULL;
	struct buffer out = { 0 };
	size_t used;

	if (job->count > job->named) {
		about = command_find(job->words + job->named, job->count - job->named, &used);
		if (!about && !command_usages(&out, job->words[job->named])) {
			fail("no such command: ", job->words[job->named]);
			return USAGE;
		}
	}
	if (!buffer_len(&out))
		command_help(&out, about);
	print_buffer(stdout, &out);
	return REPLY_DONE;
}

/* The content of a file, without the newline at its end; NULL: it was said why not. */
static char *file_content(const char *path)
{
	struct buffer content = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0 && buffer_len(&content) <= PROTOCOL_REQUEST_BYTES) {
		got = read(fd, buffer_reserve(&content, 65536), 65536);
		buffer_filled(&content, got > 0 ? (size_t)got : 0);
	}
	if (got < 0) {
		char *why = xasprintf("%s: %s", path, strerror(errno));

		fail("cannot read ", why);
		free(why);
	} else if (got > 0) {
		fail("too large for a setting: ", path);
	} else if (memchr(content.memory ? buffer_data(&content) : "", '\0',
			  buffer_len(&content))) {
		fail("not text: ", path);
		got = -1;
	}
	if (fd >= 0)
		close(fd);
	if (got != 0) {
		buffer_finish(&content);
		return NULL;
	}
	if (buffer_len(&content) && buffer_data(&content)[buffer_len(&content) - 1] == '\n')
		content.end--;
	return buffer_take_text(&content);
}

/* "@FILE" replaced by its content, "@@x" by "@x"; the caller's. NULL: it was said why. */
static char *expand_at(const char *word)
{
	return word[1] == '@' ? xstrdup(word + 1) : file_content(word + 1);
}

static char *expand_keyed(const char *word)
{
	const char *at = strstr(word, "=@");
	char *content = at ? expand_at(at + 1) : NULL, *expanded;

	if (!at)
		return xstrdup(word);
	if (!content)
		return NULL;
	expanded = xasprintf("%.*s%s", (int)(at + 1 - word), word, content);
	free(content);
	return expanded;
}

static char *expand_word(const struct job *job, size_t place)
{
	const char *word = job->words[place];
	bool is_value = place > job->named;

	switch (job->command->from_files) {
	case FILES_AT:
		return is_value && word[0] == '@' ? expand_at(word) : xstrdup(word);
	case FILES_KEYED:
		return is_value ? expand_keyed(word) : xstrdup(word);
	case FILES_LAST:
		if (place + 1 == job->count)
			return file_content(strcmp(word, "-") == 0 ? "/dev/stdin" : word);
		return xstrdup(word);
	case FILES_NO:
		break;
	}
	return xstrdup(word);
}

/* The words as they are sent, each a copy. False: it was said why. */
static bool expand(const struct job *job, char **words)
{
	for (size_t i = 0; i < job->count; i++) {
		words[i] = expand_word(job, i);
		if (!words[i])
			return false;
	}
	return true;
}

/* The request as a line; false: it was said why not. */
static bool compose(const struct job *job, struct buffer *request)
{
	char **words = xcalloc(job->count, sizeof(*words));
	const char **lent = xcalloc(job->count, sizeof(*lent));
	bool composed = expand(job, words);

	for (size_t i = 0; i < job->count; i++)
		lent[i] = words[i];
	if (composed &&
	    !request_write(request, lent, job->count, job->json || job->command->judged_by)) {
		fail("what is to be sent is not UTF-8", "");
		composed = false;
	} else if (composed && buffer_len(request) > PROTOCOL_REQUEST_BYTES) {
		fail("that is too large to be sent", "");
		composed = false;
	}
	for (size_t i = 0; i < job->count; i++)
		free(words[i]);
	free(words);
	free(lent);
	return composed;
}

/* A status or a table as it is on a terminal of that width. */
static void print_shaped(const struct job *job, struct slice text, bool wrong)
{
	struct terminal terminal = terminal_look(stdout);
	char *shown = screen_text(text), *shaped = NULL;

	if (job->command->is_table && terminal.columns) {
		shaped = screen_cut(shown, terminal.columns);
		free(shown);
		shown = shaped;
	}
	if (job->command->judged_by && terminal.colour) {
		shaped = screen_coloured(shown, wrong);
		free(shown);
		shown = shaped;
	}
	fputs(shown, stdout);
	free(shown);
}

static void print_answer(const struct job *job, const struct reply *reply, bool wrong)
{
	char *json;

	if (job->json && reply->data) {
		json = json_dumps(reply->data, JSON_INDENT(2));
		print(stdout, slice_of(json));
		free(json);
	} else if (isatty(STDOUT_FILENO)) {
		print_shaped(job, reply->text, wrong);
	} else {
		print(stdout, reply->text);
	}
}

static int show(const struct job *job, const struct reply *reply)
{
	const char *judged_by = job->command->judged_by;
	bool wrong = judged_by && json_array_size(json_object_get(reply->data, judged_by));
	char *text;

	if (reply->status == REPLY_DONE || reply->data) { /* with data it is an answer */
		print_answer(job, reply, wrong);
		return wrong ? REPLY_FAILED : (int)reply->status;
	}
	text = xstrndup(reply->text.data, reply->text.len);
	fail(text, "");
	free(text);
	return judged_by ? NO_ANSWER : (int)reply->status;
}

/* A piece with --json is a line, so that what reads them can tell them apart. */
static bool show_piece(void *arg, const struct reply *piece)
{
	const struct job *job = arg;
	char *json;

	if (job->json && piece->data) {
		json = json_dumps(piece->data, JSON_COMPACT);
		print(stdout, slice_of(json));
		free(json);
	} else {
		print(stdout, piece->text);
	}
	return fflush(stdout) == 0;
}

static int ask(const struct job *job)
{
	struct buffer request = { 0 };
	struct reply reply = { 0 };
	char *why = NULL, *path = NULL;
	const struct client_pieces pieces =
		job->save ? (struct client_pieces){ save_piece, job->save }
			  : (struct client_pieces){ show_piece, (void *)(uintptr_t)job };
	int status = job->command->judged_by ? NO_ANSWER : REPLY_FAILED;
	/* --json is for programs: they read both streams often enough */
	bool quiet = job->command->streams || (job->json && !isatty(STDERR_FILENO));
	bool answered;

	if (compose(job, &request)) {
		path = job->socket ? xstrdup(job->socket) : bootstrap_socket(job->file, &why);
		answered = path &&
			   client_ask(path,
				      (struct slice){ buffer_data(&request), buffer_len(&request) },
				      quiet ? NULL : terminal_say_waiting,
				      job->command->streams || job->save ? &pieces : NULL, &reply,
				      &why);
		terminal_end_waiting();
		if (answered)
			status = show(job, &reply);
		else
			fail(why, "");
	}
	reply_finish(&reply);
	buffer_finish(&request);
	free(path);
	free(why);
	return status;
}

static int ask_and_save(struct job *job)
{
	char *why = NULL;
	int status;

	job->save = save_open(job->words[job->count - 1], &why);
	status = job->save ? ask(job) : REPLY_FAILED;
	if (job->save && !save_close(&job->save, status == REPLY_DONE, &why))
		status = REPLY_FAILED;
	if (why)
		fail(why, "");
	free(why);
	return status;
}

static int usage(const struct command *command)
{
	struct buffer out = { 0 };

	if (command)
		command_usage(&out, command);
	else
		command_help(&out, NULL);
	print_buffer(stderr, &out);
	return USAGE;
}

/* No command begins with these words. */
static int no_such_command(const char *const *words, size_t count)
{
	const char *guess = guess_command(words, count);
	struct buffer out = { 0 };

	if (guess)
		buffer_printf(&out, "sallyport: no such command; did you mean: sallyport %s\n",
			      guess);
	else if (!command_usages(&out, words[0]))
		buffer_printf(&out, "sallyport: no such command: %s; `sallyport help` lists them\n",
			      words[0]);
	print_buffer(stderr, &out);
	return USAGE;
}

enum options { OPTIONS_GOOD, OPTIONS_BAD, OPTIONS_HELP, OPTIONS_VERSION };

/* COMMAND --help, with nothing in between. */
static bool asks_for_help(const struct job *job)
{
	size_t used, before = job->count - 1;

	if (job->count < 2 || strcmp(job->words[before], "--help") != 0)
		return false;
	return command_find(job->words, before, &used) ? used == before : before == 1;
}

static enum options read_options(struct job *job, int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' },
						 { "version", no_argument, NULL, 'V' },
						 { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "+c:s:h", options, NULL)) != -1) {
		if (option == 'c')
			job->file = optarg;
		else if (option == 's')
			job->socket = optarg;
		else
			return option == 'h'   ? OPTIONS_HELP
			       : option == 'V' ? OPTIONS_VERSION
					       : OPTIONS_BAD;
	}
	job->words = (const char *const *)argv + optind;
	job->count = (size_t)(argc - optind);
	if (asks_for_help(job)) {
		job->count--;
		return OPTIONS_HELP;
	}
	return job->count > 0 ? OPTIONS_GOOD : OPTIONS_BAD;
}

/* --json, wherever it stands behind the command, says how the answer is wanted, and is no
 * argument. */
static void take_json(struct job *job, char **words)
{
	size_t kept = job->named;

	if (!command_has_json(job->command))
		return;
	for (size_t i = job->named; i < job->count; i++) {
		if (strcmp(words[i], "--json") == 0)
			job->json = true;
		else
			words[kept++] = words[i];
	}
	job->count = kept;
}

/* An answer that went nowhere, since a disk is full, is none. */
static int written(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return fail("cannot write the answer: ", strerror(errno));
}

int main(int argc, char **argv)
{
	struct job job = { .file = BOOTSTRAP_FILE };

	switch (read_options(&job, argc, argv)) {
	case OPTIONS_GOOD:
		break;
	case OPTIONS_BAD:
		return usage(NULL);
	case OPTIONS_HELP:
		return written(help(&job));
	case OPTIONS_VERSION:
		return written(puts("sallyport " SALLYPORT_RELEASE) < 0);
	}
	job.command = command_find(job.words, job.count, &job.named);
	if (!job.command)
		return no_such_command(job.words, job.count);
	take_json(&job, argv + optind);
	if (!command_takes(job.command, job.count - job.named))
		return usage(job.command);
	if (job.command->saves)
		return ask_and_save(&job);
	if (job.command->place != COMMAND_HERE)
		return written(ask(&job));
	if (strcmp(job.command->words, "completion") == 0)
		return written(completion(job.words[job.named]));
	return written(help(&job));
}
