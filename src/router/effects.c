#include "router/effects.h"

void effects_close(struct effects *effects, const char *what, enum failure why)
{
	if (effects->closed++ < EFFECTS_LINES_MAX)
		buffer_printf(&effects->closed_lines, "closes %s: %s\n", what, failure_name(why));
}

void effects_port(struct effects *effects, const char *what, const char *name, const char *how)
{
	if (effects->ports++ < EFFECTS_LINES_MAX)
		buffer_printf(&effects->port_lines, "%s %s: %s\n", what, name, how);
}

static void add_lines(struct buffer *out, struct buffer *lines, size_t count)
{
	buffer_append(out, buffer_data(lines), buffer_len(lines));
	if (count > EFFECTS_LINES_MAX)
		buffer_printf(out, "and %zu more\n", count - EFFECTS_LINES_MAX);
	buffer_finish(lines);
}

char *effects_text(struct effects *effects, const char *fault)
{
	struct buffer out = { 0 };

	if (effects->closed)
		buffer_printf(&out, "closes %zu of %zu stream%s\n", effects->closed,
			      effects->streams, effects->streams == 1 ? "" : "s");
	else
		buffer_append_text(&out, "closes no stream\n");
	add_lines(&out, &effects->closed_lines, effects->closed);
	if (effects->bounced)
		buffer_printf(&out, "bounces %zu stanza%s that wait%s\n", effects->bounced,
			      effects->bounced == 1 ? "" : "s", effects->bounced == 1 ? "s" : "");
	add_lines(&out, &effects->port_lines, effects->ports);
	if (fault)
		buffer_printf(&out, "these settings do not work: %s\n", fault);
	*effects = (struct effects){ 0 };
	return buffer_take_text(&out);
}
