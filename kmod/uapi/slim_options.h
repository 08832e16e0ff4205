/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The socket options and ioctls that a guarded socket still has: one list for both guards. Whoever
 * includes this has the names defined (linux/tcp.h, linux/in.h, linux/in6.h, asm/socket.h,
 * linux/sockios.h), and passes a macro X(level, option). docs/threat-model.md says why each is
 * harmless.
 *
 * Lists, not tables: of an option's old and new form (time stamps) both are there.
 */
#ifndef _UAPI_SLIM_OPTIONS_H
#define _UAPI_SLIM_OPTIONS_H

/* May be set. */
#define SLIM_OPTIONS_SET(X)			\
	X(SOL_SOCKET, SO_KEEPALIVE)		\
	X(SOL_SOCKET, SO_LINGER)		\
	X(SOL_SOCKET, SO_OOBINLINE)		\
	X(SOL_SOCKET, SO_PEEK_OFF)		\
	X(SOL_SOCKET, SO_RCVBUF)		\
	X(SOL_SOCKET, SO_RCVLOWAT)		\
	X(SOL_SOCKET, SO_RCVTIMEO_NEW)		\
	X(SOL_SOCKET, SO_RCVTIMEO_OLD)		\
	X(SOL_SOCKET, SO_SELECT_ERR_QUEUE)	\
	X(SOL_SOCKET, SO_SNDBUF)		\
	X(SOL_SOCKET, SO_SNDTIMEO_NEW)		\
	X(SOL_SOCKET, SO_SNDTIMEO_OLD)		\
	X(SOL_SOCKET, SO_TIMESTAMPNS_NEW)	\
	X(SOL_SOCKET, SO_TIMESTAMPNS_OLD)	\
	X(SOL_SOCKET, SO_TIMESTAMP_NEW)		\
	X(SOL_SOCKET, SO_TIMESTAMP_OLD)		\
	X(SOL_SOCKET, SO_ZEROCOPY)		\
	X(IPPROTO_TCP, TCP_CORK)		\
	X(IPPROTO_TCP, TCP_INQ)			\
	X(IPPROTO_TCP, TCP_KEEPCNT)		\
	X(IPPROTO_TCP, TCP_KEEPIDLE)		\
	X(IPPROTO_TCP, TCP_KEEPINTVL)		\
	X(IPPROTO_TCP, TCP_LINGER2)		\
	X(IPPROTO_TCP, TCP_MAXSEG)		\
	X(IPPROTO_TCP, TCP_NODELAY)		\
	X(IPPROTO_TCP, TCP_NOTSENT_LOWAT)	\
	X(IPPROTO_TCP, TCP_QUICKACK)		\
	X(IPPROTO_TCP, TCP_SYNCNT)		\
	X(IPPROTO_TCP, TCP_THIN_DUPACK)		\
	X(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS)\
	X(IPPROTO_TCP, TCP_USER_TIMEOUT)	\
	X(IPPROTO_TCP, TCP_WINDOW_CLAMP)

/*
 * Accepted without effect: programs set these as a matter of course and take a refusal for a broken
 * connection, but the marking of packets and the sharing of ports are the host's.
 */
#define SLIM_OPTIONS_IGNORED(X)			\
	X(SOL_SOCKET, SO_REUSEADDR)		\
	X(IPPROTO_IP, IP_TOS)			\
	X(IPPROTO_IPV6, IPV6_TCLASS)

/*
 * May be read, beside all that may be set. Nothing here holds an address, an interface, a route or
 * a key of the host.
 */
#define SLIM_OPTIONS_READ(X)			\
	X(SOL_SOCKET, SO_ACCEPTCONN)		\
	X(SOL_SOCKET, SO_BROADCAST)		\
	X(SOL_SOCKET, SO_COOKIE)		\
	X(SOL_SOCKET, SO_DEBUG)			\
	X(SOL_SOCKET, SO_DOMAIN)		\
	X(SOL_SOCKET, SO_DONTROUTE)		\
	X(SOL_SOCKET, SO_ERROR)			\
	X(SOL_SOCKET, SO_MAX_PACING_RATE)	\
	X(SOL_SOCKET, SO_MEMINFO)		\
	X(SOL_SOCKET, SO_NETNS_COOKIE)		\
	X(SOL_SOCKET, SO_PRIORITY)		\
	X(SOL_SOCKET, SO_PROTOCOL)		\
	X(SOL_SOCKET, SO_REUSEADDR)		\
	X(SOL_SOCKET, SO_REUSEPORT)		\
	X(SOL_SOCKET, SO_TYPE)			\
	X(IPPROTO_TCP, TCP_CC_INFO)		\
	X(IPPROTO_TCP, TCP_CONGESTION)		\
	X(IPPROTO_TCP, TCP_DEFER_ACCEPT)	\
	X(IPPROTO_TCP, TCP_FASTOPEN)		\
	X(IPPROTO_TCP, TCP_FASTOPEN_CONNECT)	\
	X(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE)	\
	X(IPPROTO_TCP, TCP_INFO)		\
	X(IPPROTO_TCP, TCP_ULP)			\
	X(IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE)	\
	X(IPPROTO_IP, IP_MTU_DISCOVER)		\
	X(IPPROTO_IP, IP_RECVERR)		\
	X(IPPROTO_IP, IP_TOS)			\
	X(IPPROTO_IP, IP_TTL)			\
	X(IPPROTO_IPV6, IPV6_MTU_DISCOVER)	\
	X(IPPROTO_IPV6, IPV6_RECVERR)		\
	X(IPPROTO_IPV6, IPV6_TCLASS)		\
	X(IPPROTO_IPV6, IPV6_UNICAST_HOPS)	\
	X(IPPROTO_IPV6, IPV6_V6ONLY)

/*
 * Sockets and interfaces have a range of ioctls each, told by the second byte of the number; of
 * these only what concerns the connection alone is left. What is outside (FIONREAD, and what
 * isatty() asks) has the kernel's own answer.
 */
#define SLIM_CONTROL_RANGES(X)			\
	X(0x89)					\
	X(0x8b) /* wireless */

#define SLIM_CONTROLS(X)			\
	X(FIOSETOWN)				\
	X(SIOCSPGRP)				\
	X(FIOGETOWN)				\
	X(SIOCGPGRP)				\
	X(SIOCATMARK)				\
	X(SIOCOUTQNSD)				\
	X(SIOCGSTAMP_OLD)			\
	X(SIOCGSTAMPNS_OLD)			\
	X(SIOCGSTAMP_NEW)			\
	X(SIOCGSTAMPNS_NEW)

#endif /* _UAPI_SLIM_OPTIONS_H */
