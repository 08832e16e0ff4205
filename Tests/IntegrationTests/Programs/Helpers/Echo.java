import com.sun.net.httpserver.HttpServer;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.util.Arrays;
import java.util.concurrent.Executors;

/** Echo in the ways that Java offers: `Echo KIND PORT` serves, `Echo ask ADDRESS PORT` asks in three ways, `Echo get URL`. */
class Echo {
    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "blocking" -> blocking(Integer.parseInt(arguments[1]));
            case "selector" -> selector(Integer.parseInt(arguments[1]));
            case "asynchronous" -> asynchronous(Integer.parseInt(arguments[1]));
            case "http" -> http(Integer.parseInt(arguments[1]));
            case "ask" -> ask(new InetSocketAddress(arguments[1], Integer.parseInt(arguments[2])));
            case "get" -> System.out.write(new URL(arguments[1]).openStream().readAllBytes());
        }
        System.out.flush();
    }

    static void blocking(int port) throws Exception {
        var server = new ServerSocket(port);
        System.out.println("ready");
        while (true) {
            var socket = server.accept();
            new Thread(() -> {
                try (socket) { socket.getInputStream().transferTo(socket.getOutputStream()); } catch (Exception e) { e.printStackTrace(); }
            }).start();
        }
    }

    static void selector(int port) throws Exception {
        var selector = Selector.open();
        var server = ServerSocketChannel.open().bind(new InetSocketAddress(port));
        server.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
        System.out.println("ready");
        var buffer = ByteBuffer.allocate(65536);
        while (true) {
            selector.select(key -> {
                try {
                    if (key.isAcceptable()) {
                        var channel = server.accept();
                        if (channel != null) channel.configureBlocking(false).register(selector, SelectionKey.OP_READ);
                    } else {
                        var channel = (SocketChannel) key.channel();
                        buffer.clear();
                        if (channel.read(buffer) < 0) { channel.close(); return; }
                        buffer.flip();
                        while (buffer.hasRemaining()) channel.write(buffer);
                    }
                } catch (Exception e) { e.printStackTrace(); key.cancel(); }
            });
        }
    }

    static void asynchronous(int port) throws Exception {
        var server = AsynchronousServerSocketChannel.open().bind(new InetSocketAddress(port));
        System.out.println("ready");
        while (true) {
            var channel = server.accept().get();
            var buffer = ByteBuffer.allocate(65536);
            channel.read(buffer, null, new CompletionHandler<Integer, Void>() {
                public void completed(Integer count, Void none) {
                    try {
                        if (count < 0) { channel.close(); return; }
                        buffer.flip();
                        while (buffer.hasRemaining()) channel.write(buffer).get();
                        buffer.clear();
                        channel.read(buffer, null, this);
                    } catch (Exception e) { e.printStackTrace(); }
                }
                public void failed(Throwable e, Void none) { e.printStackTrace(); }
            });
        }
    }

    static void http(int port) throws Exception {
        var server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext("/", exchange -> {
            var body = (exchange.getRemoteAddress().getAddress().getHostAddress() + "\n").getBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.start();
        System.out.println("ready");
    }

    static void check(byte[] sent, byte[] received) {
        if (!Arrays.equals(sent, received)) throw new IllegalStateException("what came back is not what was sent");
    }

    static void ask(InetSocketAddress target) throws Exception {
        var text = "x".repeat(100_000).getBytes();
        for (int index = 0; index < 20; index++) {
            try (var socket = new Socket()) {
                socket.connect(target, 5000);
                socket.setSoTimeout(5000);
                socket.setTcpNoDelay(true);
                socket.getOutputStream().write(text, 0, 1000);
                check(Arrays.copyOf(text, 1000), socket.getInputStream().readNBytes(1000));
            }
        }
        try (var selector = Selector.open(); var channel = SocketChannel.open()) {
            channel.configureBlocking(false);
            if (!channel.connect(target)) {
                channel.register(selector, SelectionKey.OP_CONNECT);
                if (selector.select(5000) == 0 || !channel.finishConnect()) throw new IllegalStateException("not connected");
                channel.register(selector, SelectionKey.OP_READ);
            }
            channel.write(ByteBuffer.wrap(text, 0, 1000));
            var buffer = ByteBuffer.allocate(1000);
            while (buffer.hasRemaining()) {
                if (selector.select(5000) == 0) throw new IllegalStateException("no answer");
                selector.selectedKeys().clear();
                channel.read(buffer);
            }
        }
        try (var channel = AsynchronousSocketChannel.open()) {
            channel.connect(target).get();
            channel.write(ByteBuffer.wrap(text, 0, 1000)).get();
            var buffer = ByteBuffer.allocate(1000);
            while (buffer.hasRemaining()) channel.read(buffer).get();
            System.out.println("ok " + ((InetSocketAddress) channel.getRemoteAddress()).getPort());
        }
    }
}
