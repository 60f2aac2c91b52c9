#include "admin/doctor_part.h"

#include "admin/doctor.h"
#include "admin/doctor_probe.h"
#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A node that a core asks; the tag of the question tells which of which visit. */
struct node {
	char *name, *role, *why; /* why there is no report; NULL with one */
	char *tunnel;		 /* what is wrong with its tunnel; NULL: that is up */
	json_t *report;
	bool answered;
};

/* One look, for one who asked. */
struct visit {
	struct visit *next;
	struct doctor *doctor;
	uint64_t number;  /* the desk's */
	uint64_t session; /* ours with the desk, and of tags */
	uint64_t began_ms;
	struct timer timer;
	struct doctor_probe *probe;
	json_t *status, *probes;
	bool is_here, looked; /* asked of this node alone; at ourselves */
	struct node nodes[TUNNELS_ASKS_MAX];
	size_t count;
};

struct doctor {
	struct doctor_config config;
	struct visit *visits;
	uint64_t sessions;
};

static struct visit *find(const struct doctor *doctor, uint64_t session)
{
	struct visit *visit = doctor->visits;

	while (visit && visit->session != session)
		visit = visit->next;
	return visit;
}

static void close_visit(struct visit *visit)
{
	struct doctor *doctor = visit->doctor;
	struct visit **at = &doctor->visits;

	while (*at != visit)
		at = &(*at)->next;
	*at = visit->next;
	loop_disarm(doctor->config.loop, &visit->timer);
	doctor_probe_destroy(&visit->probe);
	desk_leave(doctor->config.desk, doctor, visit->session);
	for (size_t i = 0; i < visit->count; i++) {
		free(visit->nodes[i].name);
		free(visit->nodes[i].role);
		free(visit->nodes[i].why);
		free(visit->nodes[i].tunnel);
		json_decref(visit->nodes[i].report);
	}
	json_decref(visit->status);
	json_decref(visit->probes);
	free(visit);
}

/* The one answer; the visit is over. */
static void answer(struct visit *visit, enum reply_status status, const char *text, json_t *data)
{
	struct desk *desk = visit->doctor->config.desk;
	uint64_t number = visit->number;

	close_visit(visit);
	desk_answer(desk, number, status, text, data);
}

static void add_node(struct visit *visit, const char *name, const char *role, const char *why)
{
	struct node *node = &visit->nodes[visit->count++];

	*node = (struct node){ .name = xstrdup(name),
			       .role = xstrdup(role),
			       .why = why ? xstrdup(why) : NULL,
			       .answered = why };
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static bool has_node(const struct visit *visit, const char *name)
{
	for (size_t i = 0; i < visit->count; i++) {
		if (strcmp(visit->nodes[i].name, name) == 0)
			return true;
	}
	return false;
}

static void add_down(struct visit *visit, const json_t *tunnel)
{
	const char *why = text_of(tunnel, "why");

	add_node(visit, text_of(tunnel, "node"), text_of(tunnel, "role"), "its tunnel is down");
	visit->nodes[visit->count - 1].tunnel = xstrdup(*why ? why : text_of(tunnel, "state"));
}

/* Those that could not even be asked are named too. */
static void add_unreachable(struct visit *visit)
{
	size_t index;
	json_t *row;

	json_array_foreach(json_object_get(visit->status, "tunnels"), index, row)
	{
		const char *name = text_of(row, "node");

		if (!visit->is_here && strcmp(text_of(row, "role"), "core") != 0 &&
		    visit->count < TUNNELS_ASKS_MAX && !has_node(visit, name))
			add_down(visit, row);
	}
}

static void unite(struct visit *visit)
{
	const struct doctor_config *config = &visit->doctor->config;
	struct doctor_other others[TUNNELS_ASKS_MAX];
	json_t *own, *united;
	char *text;

	add_unreachable(visit);
	own = doctor_look(&(struct doctor_sight){ visit->status, visit->probes, config->release });
	for (size_t i = 0; i < visit->count; i++) {
		const struct node *node = &visit->nodes[i];

		others[i] = (struct doctor_other){ node->name, node->role, node->report, node->why,
						   node->tunnel };
	}
	united = doctor_unite(own, others, visit->count,
			      (unsigned)(loop_now_ms(config->loop) - visit->began_ms));
	if (!visit->is_here)
		json_object_del(united, "facts"); /* for the core that compares them */
	text = doctor_text(united);
	answer(visit, REPLY_DONE, text, united);
	free(text);
	json_decref(united);
	json_decref(own);
}

static void unite_when_all_is_there(struct visit *visit)
{
	for (size_t i = 0; i < visit->count; i++) {
		if (!visit->nodes[i].answered)
			return;
	}
	if (visit->looked)
		unite(visit);
}

/* Time is over: what is there counts. */
static void on_timer(struct timer *timer)
{
	struct visit *visit = (void *)((char *)timer - offsetof(struct visit, timer));

	if (!visit->status) {
		answer(visit, REPLY_FAILED, "doctor cannot look: this node does not say how it is",
		       NULL);
		return;
	}
	for (size_t i = 0; i < visit->count; i++) {
		if (!visit->nodes[i].answered)
			visit->nodes[i].why = xstrdup("it did not answer in time");
	}
	unite(visit);
}

/* This node */

static void on_probed(void *arg, json_t *results)
{
	struct visit *visit = arg;

	visit->probes = json_incref(results);
	visit->looked = true;
	doctor_probe_destroy(&visit->probe);
	unite_when_all_is_there(visit);
}

static void on_status(void *arg, uint64_t session, enum reply_status status, struct slice text,
		      json_t *data)
{
	struct doctor *doctor = arg;
	struct visit *visit = find(doctor, session);
	json_t *plan;

	if (!visit)
		return;
	if (status != REPLY_DONE || !data) {
		answer(visit, REPLY_FAILED, "doctor cannot look: this node does not say how it is",
		       NULL);
		return;
	}
	visit->status = json_incref(data);
	plan = doctor_plan(data);
	visit->probe = doctor_probe_create(doctor->config.loop, doctor->config.dns, plan, on_probed,
					   visit);
	json_decref(plan);
}

static void ask_status(struct visit *visit, const struct visitor *visitor)
{
	struct doctor *doctor = visit->doctor;
	const struct desk_asker asker = { NULL, on_status, doctor, visit->session };
	struct visitor ours = { .access = ACCESS_VIEW, .from = "doctor" };
	const char *words[] = { "status" };

	snprintf(ours.name, sizeof(ours.name), "%s", visitor->name);
	desk_ask(doctor->config.desk, &asker, &ours,
		 &(struct request){ .words = words, .count = 1, .json_wanted = true });
}

/* The others */

static uint64_t tag_of(const struct visit *visit, size_t place)
{
	return visit->session * TUNNELS_ASKS_MAX + place;
}

static void on_node(void *arg, uint64_t tag, const struct tunnels_reply *reply)
{
	struct visit *visit = find(arg, tag / TUNNELS_ASKS_MAX);
	struct node *node = visit ? &visit->nodes[tag % TUNNELS_ASKS_MAX] : NULL;

	if (!node || node->answered)
		return;
	node->answered = true;
	if (reply->why)
		node->why = xstrdup(reply->why);
	else if (!json_is_object(reply->data))
		node->why = xstrdup(reply->text && *reply->text ? reply->text
								: "it answers without findings");
	else
		node->report = json_incref(reply->data);
	unite_when_all_is_there(visit);
}

/* Those that can be asked: nobody asks a core. */
static void ask_nodes(struct visit *visit)
{
	const struct doctor_config *config = &visit->doctor->config;
	static const char *const words[] = { "doctor", "here" };
	json_t *reachable = tunnels_reachable(config->tunnels), *row;
	size_t index;

	json_array_foreach(reachable, index, row)
	{
		if (visit->count < TUNNELS_ASKS_MAX && strcmp(text_of(row, "role"), "core") != 0)
			add_node(visit, text_of(row, "name"), text_of(row, "role"), NULL);
	}
	for (size_t i = 0; i < visit->count; i++)
		tunnels_ask(config->tunnels, visit->nodes[i].name, words, nitems(words),
			    DOCTOR_NODE_MS, tag_of(visit, i), on_node, visit->doctor);
	json_decref(reachable);
}

/* The desk's side */

static size_t count_visits(const struct doctor *doctor)
{
	size_t count = 0;

	for (const struct visit *visit = doctor->visits; visit; visit = visit->next)
		count++;
	return count;
}

static void run(void *arg, const struct errand *errand)
{
	struct doctor *doctor = arg;
	struct visit *visit;

	if (errand->count && strcmp(errand->words[0], "here") != 0) {
		desk_answer(doctor->config.desk, errand->number, REPLY_UNKNOWN,
			    "doctor takes no argument but `here`", NULL);
		return;
	}
	if (count_visits(doctor) == DOCTOR_AT_ONCE) {
		desk_answer(doctor->config.desk, errand->number, REPLY_FAILED,
			    "doctor looks for several people already: try again in half a minute",
			    NULL);
		return;
	}
	visit = xcalloc(1, sizeof(*visit));
	*visit = (struct visit){ .next = doctor->visits,
				 .doctor = doctor,
				 .number = errand->number,
				 .session = ++doctor->sessions,
				 .is_here = errand->count,
				 .began_ms = loop_now_ms(doctor->config.loop),
				 .timer.fire = on_timer };
	doctor->visits = visit;
	loop_arm(doctor->config.loop, &visit->timer, DOCTOR_ALL_MS);
	if (!visit->is_here)
		ask_nodes(visit);
	ask_status(visit, errand->visitor); /* last: it may be answered at once */
}

static void gone(void *arg, uint64_t number)
{
	struct doctor *doctor = arg;

	for (struct visit *visit = doctor->visits; visit; visit = visit->next) {
		if (visit->number == number) {
			close_visit(visit);
			return;
		}
	}
}

static const struct desk_part parts[] = { { "doctor", run, gone }, { NULL, NULL, NULL } };

struct doctor *doctor_create(const struct doctor_config *config)
{
	struct doctor *doctor = xcalloc(1, sizeof(*doctor));

	doctor->config = *config;
	desk_register(config->desk, parts, doctor);
	return doctor;
}

void doctor_destroy(struct doctor **doctor_ref)
{
	struct doctor *doctor = *doctor_ref;

	if (!doctor)
		return;
	*doctor_ref = NULL;
	while (doctor->visits)
		close_visit(doctor->visits);
	free(doctor);
}
