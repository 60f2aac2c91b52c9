/*
 * A realm names an edge inside the home server's tables: the edge's name with its dots turned into
 * hyphens. It cannot be turned back, and two names can have the same one: compare forward only.
 */
#ifndef POLICY_REALM_H
#define POLICY_REALM_H

#define REALM_BYTES 63		       /* as a node's name */
#define REALM_COMPONENT "cm-2_s2scp-1" /* before the realm, with a dot between, in xmpps2snodes */

/* `node` is a name as the settings take it. */
static inline void realm_of(const char *node, char realm[REALM_BYTES + 1])
{
	int i;

	for (i = 0; node[i] && i < REALM_BYTES; i++)
		realm[i] = node[i] == '.' ? '-' : node[i];
	realm[i] = '\0';
}

#endif
