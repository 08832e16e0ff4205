/* SPDX-License-Identifier: Apache-2.0
 *
 * getsockname() and getpeername(): both ends agree, in every family.
 */
#include "check.h"

/* Connects to the peer and compares what each side says. */
static void agree(const char *what, int family, const char *host, int port, const char *own)
{
	int fd = socket(family, SOCK_STREAM, 0), their_port, our_port, agreed;
	char their_view[96], our_view[96], name[96], to[96], from[64], at[64];
	const char *line;

	snprintf(name, sizeof(name), "%s: connect", what);
	CHECK_OK(name, connect_to(fd, host, port));
	check("ask who", write(fd, "who\n", 4) == 4, "%s", strerror(errno));
	line = read_line(fd);
	if (sscanf(line, "%63s %d %63s %d", from, &their_port, at, &our_port) != 4)
		check("answer", 0, "%s", line);
	/* The peer serves some addresses on an IPv6 socket, and sees them v4-mapped there. */
	snprintf(their_view, sizeof(their_view), "%s %d", strncmp(from, "::ffff:", 7) ? from : from + 7, their_port);
	snprintf(our_view, sizeof(our_view), "%s", own_name(fd));
	snprintf(name, sizeof(name), "%s: our name", what);
	agreed = !strcmp(their_view, strncmp(our_view, "::ffff:", 7) ? our_view : our_view + 7);
	check(name, agreed, "%s here, %s there", our_view, their_view);
	snprintf(name, sizeof(name), "%s: our address", what);
	check(name, !strncmp(our_view, own, strlen(own)), "%s", our_view);
	snprintf(to, sizeof(to), "%s %d", host, port);
	snprintf(name, sizeof(name), "%s: the peer's name", what);
	check(name, !strcmp(peer_name(fd), to), "%s", peer_name(fd));
	snprintf(name, sizeof(name), "%s: the peer's own name", what);
	check(name, our_port == port && !strcmp(strncmp(at, "::ffff:", 7) ? at : at + 7, strncmp(host, "::ffff:", 7) ? host : host + 7),
	      "%s %d", at, our_port);
	snprintf(name, sizeof(name), "%s: family", what);
	check(name, option_of(fd, SOL_SOCKET, SO_DOMAIN) == family, "%d", option_of(fd, SOL_SOCKET, SO_DOMAIN));
	close(fd);
}

/* A listener here, of one family, to which the peer connects. */
static void accepted(const char *what, int family, const char *at, int v6_only, const char *dial, const char *from_expected)
{
	int listening = socket(family, SOCK_STREAM, 0), control, fd, port, port_there;
	struct name from = { .length = sizeof(from.address) };
	char name[96], host[64], host_there[64], expected[96], own[96];
	const char *line;

	set_option(listening, SOL_SOCKET, SO_REUSEADDR, 1);
	if (family == AF_INET6)
		set_option(listening, IPPROTO_IPV6, IPV6_V6ONLY, v6_only);
	snprintf(name, sizeof(name), "%s: bind", what);
	CHECK_OK(name, bind_to(listening, at, 6301));
	listen(listening, 5);
	snprintf(own, sizeof(own), "%s 6301", at);
	snprintf(name, sizeof(name), "%s: the listener's name", what);
	check(name, !strcmp(own_name(listening), own), "%s", own_name(listening));
	snprintf(name, sizeof(name), "%s: it has no peer", what);
	check(name, !strcmp(peer_name(listening), strerror(ENOTCONN)), "%s", peer_name(listening));
	control = dialled(dial, 6301);
	line = read_line(control);
	if (sscanf(line, "ok %63s %d %63s %d", host, &port, host_there, &port_there) != 4) {
		check(what, 0, "%s", line);
		close(control);
		close(listening);
		return;
	}
	fd = accept(listening, (struct sockaddr *)&from.address, &from.length);
	snprintf(expected, sizeof(expected), "%s%s %d", family == AF_INET6 && !strchr(host, ':') ? "::ffff:" : "", host, port);
	snprintf(name, sizeof(name), "%s: accept", what);
	check(name, !strcmp(text_of(&from.address), expected), "%s, not %s", text_of(&from.address), expected);
	snprintf(name, sizeof(name), "%s: where from", what);
	check(name, !strcmp(host, from_expected), "%s", host);
	snprintf(name, sizeof(name), "%s: length", what);
	check(name, from.length == (family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)), "%u",
	      from.length);
	snprintf(name, sizeof(name), "%s: getpeername", what);
	check(name, !strcmp(peer_name(fd), expected), "%s, not %s", peer_name(fd), expected);
	snprintf(expected, sizeof(expected), "%s%s %d", family == AF_INET6 && !strchr(host_there, ':') ? "::ffff:" : "",
		 host_there, port_there);
	snprintf(name, sizeof(name), "%s: getsockname", what);
	check(name, !strcmp(own_name(fd), expected), "%s, not %s", own_name(fd), expected);
	snprintf(name, sizeof(name), "%s: family", what);
	check(name, option_of(fd, SOL_SOCKET, SO_DOMAIN) == family, "%d", option_of(fd, SOL_SOCKET, SO_DOMAIN));
	close(fd);
	close(control);
	close(listening);
}

static void buffers(const char *what, int fd, int (*get)(int, struct sockaddr *, socklen_t *), socklen_t full)
{
	unsigned char buffer[128];
	socklen_t length, room;
	char name[96];

	for (room = 0; room <= 40; room += room < 4 ? 1 : 6) {
		memset(buffer, 0x55, sizeof(buffer));
		length = room;
		snprintf(name, sizeof(name), "%s, a buffer of %u", what, room);
		check(name, get(fd, (struct sockaddr *)buffer, &length) == 0 && length == full && buffer[room] == 0x55 &&
			      (room == 0 || buffer[room < full ? room - 1 : full - 1] != 0x55), "%u", length);
	}
	length = sizeof(buffer);
	snprintf(name, sizeof(name), "%s, no buffer", what);
	CHECK_FAILS(name, get(fd, NULL, &length), EFAULT);
	snprintf(name, sizeof(name), "%s, no length", what);
	CHECK_FAILS(name, get(fd, (struct sockaddr *)buffer, NULL), EFAULT);
	snprintf(name, sizeof(name), "%s, a wild length", what);
	CHECK_FAILS(name, get(fd, (struct sockaddr *)buffer, (socklen_t *)24), EFAULT);
	length = -1;
	snprintf(name, sizeof(name), "%s, a negative length", what);
	CHECK_FAILS(name, get(fd, (struct sockaddr *)buffer, &length), EINVAL);
}

static int get_peer(int fd, struct sockaddr *address, socklen_t *length)
{
	return getpeername(fd, address, length);
}

static int get_own(int fd, struct sockaddr *address, socklen_t *length)
{
	return getsockname(fd, address, length);
}

int main(int count, char **arguments)
{
	int fd, listening, pair[2];

	begin(count, arguments);
	agree("IPv4", AF_INET, peer_v4, PEER_PORT_V4, own_v4);
	agree("IPv4 to dual-stack", AF_INET, peer_v4, PEER_PORT, own_v4);
	agree("IPv6", AF_INET6, peer_v6, PEER_PORT_V6, own_v6);
	agree("IPv6 to dual-stack", AF_INET6, peer_v6, PEER_PORT, own_v6);
	agree("v4-mapped to IPv4", AF_INET6, mapped(peer_v4), PEER_PORT_V4, mapped(own_v4));
	agree("v4-mapped to dual-stack", AF_INET6, mapped(peer_v4), PEER_PORT, mapped(own_v4));

	accepted("IPv4", AF_INET, "0.0.0.0", 0, own_v4, peer_v4);
	accepted("IPv4, one address", AF_INET, own_v4, 0, own_v4, peer_v4);
	accepted("dual-stack, IPv4", AF_INET6, "::", 0, own_v4, peer_v4);
	accepted("dual-stack, IPv6", AF_INET6, "::", 0, own_v6, peer_v6);
	accepted("IPv6 only", AF_INET6, "::", 1, own_v6, peer_v6);
	accepted("IPv6, one address", AF_INET6, own_v6, 0, own_v6, peer_v6);
	accepted("v4-mapped, one address", AF_INET6, mapped(own_v4), 0, own_v4, peer_v4);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	check("nobody yet", !strcmp(peer_name(fd), strerror(ENOTCONN)), "%s", peer_name(fd));
	check("nowhere yet", !strcmp(own_name(fd), "0.0.0.0 0"), "%s", own_name(fd));
	connect_to(fd, peer_v4, PEER_PORT);
	buffers("getpeername, IPv4", fd, get_peer, sizeof(struct sockaddr_in));
	buffers("getsockname, IPv4", fd, get_own, sizeof(struct sockaddr_in));
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	connect_to(fd, peer_v6, PEER_PORT);
	buffers("getpeername, IPv6", fd, get_peer, sizeof(struct sockaddr_in6));
	buffers("getsockname, IPv6", fd, get_own, sizeof(struct sockaddr_in6));
	close(fd);
	listening = listener("0.0.0.0", 6302, 5);
	buffers("getsockname, a listener", listening, get_own, sizeof(struct sockaddr_in));
	close(listening);
	listening = listener("::", 6303, 5);
	buffers("getsockname, an IPv6 listener", listening, get_own, sizeof(struct sockaddr_in6));
	close(listening);

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	check("a Unix socket", get_own(pair[0], (struct sockaddr *)&(struct sockaddr_un){ 0 }, &(socklen_t){ 110 }) == 0, "%s",
	      strerror(errno));
	close(pair[0]);
	close(pair[1]);
	return finish();
}
