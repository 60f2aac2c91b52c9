/*
 * What control answers in lines for people, as data. Engine: text in, JSON out; what a line does
 * not say in the expected form is left out, so nothing is guessed.
 *
 *	history		[{"revision":7,"time":"2026-11-24T12:00:00Z","author":"root",
 *			  "setting":"federation.enabled","from":"off","to":"on"}]
 *	diff		[{"change":"removed"|"added"|"reordered","text":"federation.enabled = on"}]
 *	node-list	[{"name":"edge-a","role":"edge","address":"...","pin":"..."}]
 *	node-self	{"name":"edge-a","role":"edge","pin":"...","ssh-pin":"..."}
 */
#ifndef ADMIN_LINES_JSON_H
#define ADMIN_LINES_JSON_H

#include "base/slice.h"

#include <jansson.h>

/* NULL: the verb's answer is not one of these. */
json_t *lines_json(const char *verb, struct slice text);

#endif
