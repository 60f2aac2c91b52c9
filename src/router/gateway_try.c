#include "router/gateway_internal.h"

#include "base/alloc.h"

static void try_links(const struct gateway *g, const struct config *candidate,
		      struct effects *effects)
{
	for (size_t i = 0; i < g->links_count; i++)
		link_port_try(g->links[i], config_find_node(candidate, link_port_name(g->links[i])),
			      effects);
}

static bool has_attachment_named(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->attachments_count; i++) {
		if (strcmp(config->attachments[i].name, name) == 0)
			return true;
	}
	return false;
}

static void try_attachments(const struct gateway *g, const struct config *candidate,
			    struct effects *effects)
{
	for (size_t i = 0; i < g->attachments_count; i++) {
		const struct attachment_port *attachment = g->attachments[i];
		const char *name = attachment_port_name(attachment);

		if (!gateway_wants(g->config, attachment) || gateway_wants(candidate, attachment))
			continue;
		effects_port(effects, "attachment", name,
			     has_attachment_named(candidate, name) ? "reconnected" : "dropped");
		effects->bounced += attachment_port_waiting(attachment);
	}
}

char *gateway_try(const struct gateway *g, const struct snapshot *snapshot)
{
	const char *why = NULL;
	struct config *candidate = config_create(snapshot, &why);
	struct effects effects = { 0 };
	char *text;

	if (!candidate)
		return xasprintf("these settings cannot be used: %s", why);
	if (g->s2s)
		s2s_port_try(g->s2s, candidate, &effects);
	try_links(g, candidate, &effects);
	try_attachments(g, candidate, &effects);
	text = effects_text(&effects, candidate->fault);
	config_destroy(&candidate);
	return text;
}
