#include "admin/doctor_fold.h"

#include "admin/doctor_checks.h"
#include "base/alloc.h"

/* How a cause and its consequence must stand to each other. */
enum relation {
	ANYWHERE,	/* whatever they are about, on whatever node */
	SAME_NODE,	/* found on the same node */
	SAME_SUBJECT,	/* about the same, on whatever node */
	OTHER_END,	/* found on the node that the cause is about, about the cause's node */
	THERE,		/* found on the node that the cause is about */
	ABOUT_THE_NODE, /* found on the cause's node, or about it, or about what the cause is */
};

/*
 * Every cause before its consequences' own: a rule is applied to what earlier ones left. A rule of
 * a symptom with itself makes one of two views of the same thing.
 */
static const struct rule {
	enum symptom cause, consequence;
	enum relation relation;
	const char *says; /* if this is in what was seen of the cause; NULL: whatever was */
} rules[] = {
	/* a node that is gone, or a process of it */
	{ SYMPTOM_NODE_GONE, SYMPTOM_TUNNEL_DOWN, ABOUT_THE_NODE },
	{ SYMPTOM_NODE_GONE, SYMPTOM_LINK_DOWN, ABOUT_THE_NODE },
	{ SYMPTOM_NODE_GONE, SYMPTOM_LINK_ADDRESS, ABOUT_THE_NODE },
	{ SYMPTOM_NODE_GONE, SYMPTOM_AXL_SERVICE, SAME_SUBJECT },
	{ SYMPTOM_NODE_GONE, SYMPTOM_NO_EDGE, ANYWHERE },
	{ SYMPTOM_NODE_GONE, SYMPTOM_INACTIVE, ANYWHERE },
	{ SYMPTOM_NODE_GONE, SYMPTOM_REPLICA, SAME_SUBJECT },
	{ SYMPTOM_PROCESS, SYMPTOM_LINK_DOWN, ABOUT_THE_NODE },
	{ SYMPTOM_PROCESS, SYMPTOM_TUNNEL_DOWN, ABOUT_THE_NODE },
	{ SYMPTOM_PROCESS, SYMPTOM_AXL_SERVICE, ABOUT_THE_NODE },
	{ SYMPTOM_PROCESS, SYMPTOM_ATTACHMENT, SAME_NODE },
	{ SYMPTOM_PROCESS, SYMPTOM_CANNOT_LOOK, ABOUT_THE_NODE },
	{ SYMPTOM_PROCESS, SYMPTOM_REPLICA, ABOUT_THE_NODE },
	{ SYMPTOM_PROCESS, SYMPTOM_NO_EDGE, ANYWHERE },
	{ SYMPTOM_PROCESS, SYMPTOM_INACTIVE, ANYWHERE },
	{ SYMPTOM_PROCESS, SYMPTOM_OWN_RECORD, SAME_NODE },
	{ SYMPTOM_PROCESS, SYMPTOM_CHAT_DOMAIN, SAME_NODE },
	{ SYMPTOM_PROCESS, SYMPTOM_RESOLVER, SAME_NODE },
	/* set up anew, it shows other keys at all its doors */
	{ SYMPTOM_TUNNEL_DOWN, SYMPTOM_LINK_DOWN, SAME_SUBJECT, "host-key" },
	/* both ends see it */
	{ SYMPTOM_LINK_ADDRESS, SYMPTOM_LINK_DOWN, OTHER_END },
	{ SYMPTOM_LINK_DOWN, SYMPTOM_LINK_DOWN, OTHER_END },
	{ SYMPTOM_TUNNEL_DOWN, SYMPTOM_TUNNEL_DOWN, OTHER_END },
	{ SYMPTOM_TUNNEL_DOWN, SYMPTOM_CANNOT_LOOK, SAME_SUBJECT },
	{ SYMPTOM_CLOCK, SYMPTOM_CLOCK, OTHER_END },
	{ SYMPTOM_KEY_INVALID, SYMPTOM_KEY_INVALID, ANYWHERE },
	{ SYMPTOM_NO_DOMAIN, SYMPTOM_NO_DOMAIN, ANYWHERE },
	{ SYMPTOM_SWITCHED_OFF, SYMPTOM_SWITCHED_OFF, ANYWHERE },
	{ SYMPTOM_STALE_ROW, SYMPTOM_STALE_ROW, ANYWHERE },
	/* the link carries all */
	{ SYMPTOM_LINK_ADDRESS, SYMPTOM_INACTIVE, THERE },
	{ SYMPTOM_LINK_DOWN, SYMPTOM_INACTIVE, THERE },
	{ SYMPTOM_INACTIVE, SYMPTOM_LINK_DOWN, SAME_NODE }, /* who is dialled does not know why */
	{ SYMPTOM_LINK_ADDRESS, SYMPTOM_NO_EDGE, ANYWHERE },
	{ SYMPTOM_LINK_DOWN, SYMPTOM_NO_EDGE, ANYWHERE },
	{ SYMPTOM_INACTIVE, SYMPTOM_NO_EDGE, ANYWHERE },
	{ SYMPTOM_TUNNEL_DOWN, SYMPTOM_REPLICA, SAME_SUBJECT },
	/* who writes home's table */
	{ SYMPTOM_AXL_LOGIN, SYMPTOM_NO_EDGE, ANYWHERE },
	{ SYMPTOM_AXL_ROLE, SYMPTOM_NO_EDGE, ANYWHERE },
	{ SYMPTOM_AXL_VERSION, SYMPTOM_NO_EDGE, ANYWHERE },
	{ SYMPTOM_AXL_SERVICE, SYMPTOM_NO_EDGE, ANYWHERE },
	{ SYMPTOM_AXL_LOGIN, SYMPTOM_STALE_ROW, SAME_SUBJECT },
	{ SYMPTOM_AXL_ROLE, SYMPTOM_STALE_ROW, SAME_SUBJECT },
	{ SYMPTOM_AXL_VERSION, SYMPTOM_STALE_ROW, SAME_SUBJECT },
	{ SYMPTOM_AXL_SERVICE, SYMPTOM_STALE_ROW, SAME_SUBJECT },
	{ SYMPTOM_SWITCHED_OFF, SYMPTOM_NO_EDGE, ANYWHERE },
	{ SYMPTOM_SWITCHED_OFF, SYMPTOM_STALE_ROW, ANYWHERE },
	{ SYMPTOM_NO_EDGE, SYMPTOM_STALE_ROW, ANYWHERE },
	{ SYMPTOM_RESTART_DUE, SYMPTOM_NO_EDGE, SAME_NODE },
	{ SYMPTOM_RESTART_UNTOLD, SYMPTOM_NO_EDGE, SAME_NODE },
	/* an edge that cannot work by its settings, look anything up, or be found */
	{ SYMPTOM_NOT_IN_FORCE, SYMPTOM_OWN_RECORD, SAME_NODE },
	{ SYMPTOM_NOT_IN_FORCE, SYMPTOM_CHAT_DOMAIN, SAME_NODE },
	{ SYMPTOM_NOT_IN_FORCE, SYMPTOM_WRONG_NAME, SAME_NODE },
	{ SYMPTOM_NOT_IN_FORCE, SYMPTOM_PARTNER_BROKEN, SAME_NODE },
	{ SYMPTOM_NOT_IN_FORCE, SYMPTOM_NO_TLS, SAME_NODE },
	{ SYMPTOM_LOOPBACK, SYMPTOM_OWN_RECORD, SAME_NODE },
	{ SYMPTOM_LOOPBACK, SYMPTOM_CHAT_DOMAIN, SAME_NODE },
	{ SYMPTOM_LOOPBACK, SYMPTOM_DIALBACK_SILENT, SAME_NODE },
	{ SYMPTOM_RESOLVER, SYMPTOM_PARTNER_DNS, SAME_NODE },
	{ SYMPTOM_RESOLVER, SYMPTOM_NO_RECORD, SAME_NODE },
	{ SYMPTOM_OWN_RECORD, SYMPTOM_NOT_FOUND_THERE, ANYWHERE },
	{ SYMPTOM_OWN_RECORD, SYMPTOM_DIALBACK_SILENT, ANYWHERE },
	{ SYMPTOM_OWN_RECORD, SYMPTOM_KEY_INVALID, SAME_NODE },
	{ SYMPTOM_EXPIRES, SYMPTOM_PARTNER_BROKEN, SAME_NODE },
	{ SYMPTOM_ROUTE_DEAD, SYMPTOM_PARTNER_DOWN, SAME_SUBJECT },
	{ SYMPTOM_ROUTE_DEAD, SYMPTOM_PARTNER_DNS, SAME_SUBJECT },
};

static bool same(const json_t *a, const char *key, const json_t *b, const char *other_key)
{
	const char *text = doctor_text_of(a, key);

	return *text && strcmp(text, doctor_text_of(b, other_key)) == 0;
}

static bool stands(enum relation relation, const json_t *cause, const json_t *consequence)
{
	switch (relation) {
	case ANYWHERE:
		return true;
	case SAME_NODE:
		return same(cause, "node", consequence, "node");
	case SAME_SUBJECT:
		return same(cause, "subject", consequence, "subject");
	case OTHER_END:
		return same(cause, "subject", consequence, "node") &&
		       same(cause, "node", consequence, "subject");
	case THERE:
		return same(cause, "subject", consequence, "node");
	case ABOUT_THE_NODE:
		return same(cause, "node", consequence, "node") ||
		       same(cause, "node", consequence, "subject") ||
		       same(cause, "subject", consequence, "subject") ||
		       same(cause, "subject", consequence, "node");
	}
	return false;
}

static bool names(const json_t *finding, enum symptom symptom)
{
	return json_integer_value(json_object_get(finding, "symptom")) ==
	       (json_int_t)symptom_rows[symptom].number;
}

static void add_consequence(json_t *cause, json_t *consequence)
{
	static const char *const keys[] = { "symptom", "node", "subject", "title" };
	json_t *list = json_object_get(cause, "consequences"), *brief = json_object();

	for (size_t i = 0; i < nitems(keys); i++)
		json_object_set(brief, keys[i], json_object_get(consequence, keys[i]));
	json_array_append_new(list, brief);
	json_array_extend(list, json_object_get(consequence, "consequences"));
}

/* Takes out of the list what the rule makes a consequence of the finding at `at`; how many of them
 * stood before it. */
static size_t gather(json_t *findings, size_t at, const struct rule *rule)
{
	json_t *cause = json_array_get(findings, at);
	size_t before = 0;

	for (size_t i = 0; i < json_array_size(findings);) {
		json_t *other = json_array_get(findings, i);

		if (other == cause || !names(other, rule->consequence) ||
		    !stands(rule->relation, cause, other)) {
			i++;
			continue;
		}
		add_consequence(cause, other);
		before += i < at - before;
		json_array_remove(findings, i);
	}
	return before;
}

void doctor_fold(json_t *findings)
{
	for (size_t r = 0; r < nitems(rules); r++) {
		for (size_t i = 0; i < json_array_size(findings); i++) {
			const json_t *cause = json_array_get(findings, i);

			if (names(cause, rules[r].cause) &&
			    (!rules[r].says ||
			     strstr(doctor_text_of(cause, "seen"), rules[r].says)))
				i -= gather(findings, i, &rules[r]);
		}
	}
}
