#include "admin/diag_internal.h"

#include "base/alloc.h"

#include <stdlib.h>

struct diag_ask {
	struct diag_ask *next;
	uint64_t tag, number;
	diag_answered_fn *answered;
	bool is_piece;
	char *node;
};

static struct diag_ask *open_ask(struct diag *diag, const char *node, diag_answered_fn *answered,
				 uint64_t number)
{
	struct diag_ask *ask = xcalloc(1, sizeof(*ask));

	ask->tag = ++diag->tags;
	ask->number = number;
	ask->answered = answered;
	ask->node = xstrdup(node);
	ask->next = diag->asks;
	diag->asks = ask;
	return ask;
}

static void free_ask(struct diag_ask *ask)
{
	free(ask->node);
	free(ask);
}

static struct diag_ask *take_ask(struct diag *diag, uint64_t tag)
{
	struct diag_ask **at = &diag->asks, *ask;

	while (*at && (*at)->tag != tag)
		at = &(*at)->next;
	ask = *at;
	if (ask)
		*at = ask->next;
	return ask;
}

static void answer(struct diag *diag, uint64_t tag, bool done, const char *text, json_t *data)
{
	struct diag_ask *ask = take_ask(diag, tag);

	if (!ask)
		return;
	ask->answered(diag, ask->number,
		      &(struct diag_answer){ ask->node, done, text ? text : "", data });
	free_ask(ask);
}

/* "SIZE BASE64" */
static json_t *piece_of(const char *text)
{
	const char *base64 = strchr(text, ' ');

	return base64 ? json_pack("{s:I, s:s}", "size", (json_int_t)strtoll(text, NULL, 10),
				  "base64", base64 + 1)
		      : NULL;
}

void diag_answer(struct diag *diag, uint64_t tag, bool done, const char *text)
{
	struct diag_ask *ask = diag->asks;
	json_t *data = NULL;

	while (ask && ask->tag != tag)
		ask = ask->next;
	if (ask && ask->is_piece && done)
		data = piece_of(text);
	if (data)
		answer(diag, tag, true, "", data);
	else
		answer(diag, tag, done, text, NULL);
	json_decref(data);
}

void diag_ask_control(struct diag *diag, const char *author, const char *const *words,
		      diag_answered_fn *answered, uint64_t number)
{
	struct diag_ask *ask = open_ask(diag, "", answered, number);

	diag->config.ask(diag->config.arg, ask->tag, author, words);
}

void diag_ask_control_piece(struct diag *diag, const char *author, const char *const *words,
			    diag_answered_fn *answered, uint64_t number)
{
	struct diag_ask *ask = open_ask(diag, "", answered, number);

	ask->is_piece = true;
	diag->config.ask(diag->config.arg, ask->tag, author, words);
}

static void on_node(void *arg, uint64_t tag, const struct tunnels_reply *reply)
{
	answer(arg, tag, !reply->why && reply->status == REPLY_DONE,
	       reply->why ? reply->why : reply->text, reply->data);
}

void diag_ask_node(struct diag *diag, const char *node, const char *const *words, size_t count,
		   diag_answered_fn *answered, uint64_t number)
{
	struct diag_ask *ask = open_ask(diag, node, answered, number);

	tunnels_ask(diag->config.tunnels, node, words, count, DIAG_ASK_MS, ask->tag, on_node, diag);
}

static void on_desk(void *arg, uint64_t tag, enum reply_status status, struct slice text,
		    json_t *data)
{
	char *copy = xstrndup(text.data ? text.data : "", text.len);

	answer(arg, tag, status == REPLY_DONE, copy, data);
	free(copy);
}

static void on_desk_piece(void *arg, uint64_t tag, struct slice text, json_t *data)
{
	/* what is asked here does not stream */
}

void diag_ask_desk(struct diag *diag, const char *author, const char *const *words, size_t count,
		   diag_answered_fn *answered, uint64_t number)
{
	struct diag_ask *ask = open_ask(diag, "", answered, number);
	struct desk_asker asker = { on_desk_piece, on_desk, diag, ask->tag, NULL };
	struct visitor visitor = { .access = ACCESS_ADMIN, .from = "diag" };
	const char **lent = xcalloc(count, sizeof(*lent));

	memcpy(lent, words, count * sizeof(*lent));
	memcpy(visitor.name, author, strnlen(author, sizeof(visitor.name) - 1));
	desk_ask(diag->config.desk, &asker, &visitor,
		 &(struct request){ .words = lent, .count = count, .json_wanted = true });
	free(lent);
}

bool diag_is_asked(const json_t *status)
{
	const char *role = json_string_value(json_object_get(status, "role"));

	return role && strcmp(role, "core") != 0;
}

json_t *diag_others(const struct diag *diag)
{
	json_t *reachable = tunnels_reachable(diag->config.tunnels), *node, *names = json_array();
	size_t i;

	json_array_foreach(reachable, i, node)
	{
		if (strcmp(json_string_value(json_object_get(node, "role")), "core") != 0)
			json_array_append(names, json_object_get(node, "name"));
	}
	json_decref(reachable);
	return names;
}

struct diag *diag_create(const struct diag_config *config)
{
	struct diag *diag = xcalloc(1, sizeof(*diag));

	diag->config = *config;
	diag->node = xstrdup("-");
	desk_register(config->desk, diag_verbs, diag);
	return diag;
}

void diag_destroy(struct diag **diag_ref)
{
	struct diag *diag = *diag_ref;

	if (!diag)
		return;
	*diag_ref = NULL;
	diag_bundle_finish(diag);
	diag_saves_finish(diag);
	diag_rounds_finish(diag);
	while (diag->asks)
		answer(diag, diag->asks->tag, false, "the node stops", NULL);
	diag_documents_finish(diag);
	free(diag->node);
	free(diag);
}

void diag_apply(struct diag *diag, const struct snapshot *snapshot)
{
	struct slice name = snapshot_text(snapshot, "node.name");

	free(diag->node);
	diag->node = xstrndup(name.data ? name.data : "-", name.data ? name.len : 1);
}
