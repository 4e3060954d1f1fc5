package game;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * An emulator for one test class: a world of its own, at a URL of its own. Each test begins it anew; one that fails prints
 * its exchanges. One process has the worlds of all classes: each JVM starts one, or with
 * {@code identity-emulator exec -- mvn test} all forks of Maven share one. JSON is text here, so that no library is needed.
 */
final class Emulator implements BeforeAllCallback, BeforeEachCallback, AfterTestExecutionCallback, AfterAllCallback {
    /** A JVM that is killed can stop nothing: the emulator ends with the process that started it. */
    private static final List<String> COMMAND =
            List.of("identity-emulator", "serve", "--port", "0", "--exit-with-parent");

    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static String server;

    private final String settings;
    private String world;

    /**
     * The settings have the keys of docs/worlds.md. A JVM that is killed closes nothing: with {@code "idle_exit": 600} the
     * world is closed when nobody has used it for ten minutes.
     */
    Emulator(String settings) {
        this.settings = settings;
    }

    String url() {
        return textIn(world, "url");
    }

    /** What clients need: INTUITION_API_KEY, and of each actor of the scenario, like alice, ALICE_TOKEN and others. */
    String env(String name) {
        return textIn(world, name);
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        world = send("POST", server() + "/_emulator/worlds", settings);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        control("POST", "/reset", null);
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        if (context.getExecutionException().isPresent()) {
            System.err.println(control("GET", "/report", null));
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (world != null) {
            control("DELETE", "/worlds/" + textIn(world, "id"), null);
        }
    }

    /** Uses a control route. The body is JSON or null; returns the text of the answer. */
    String control(String method, String path, String body) {
        return send(method, url() + "/_emulator" + path, body);
    }

    private static String send(String method, String url, String body) {
        var request = HttpRequest.newBuilder(URI.create(url));
        if (body == null) {
            request.method(method, BodyPublishers.noBody());
        } else {
            request.header("Content-Type", "application/json");
            request.method(method, BodyPublishers.ofString(body));
        }
        try {
            var answer = CLIENT.send(request.build(), BodyHandlers.ofString());
            if (answer.statusCode() >= 300) {
                throw new IllegalStateException(method + " " + url + ": " + answer.body());
            }
            return answer.body();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String textIn(String json, String name) {
        return Pattern.compile("\"" + name + "\": ?\"([^\"]*)\"").matcher(json).results().findFirst()
                .orElseThrow(() -> new NoSuchElementException(name + " is not in " + json)).group(1);
    }

    private static synchronized String server() {
        if (server == null) {
            String running = System.getenv("IDENTITY_EMULATOR_URL");
            server = running != null ? running : textIn(started(), "url");
        }
        return server;
    }

    /** Starts a process; the first line that it prints, when it is ready for requests. */
    private static String started() {
        // The log is dropped: a pipe that nobody reads would fill up.
        var builder = new ProcessBuilder(COMMAND).redirectError(ProcessBuilder.Redirect.DISCARD);
        Process process;
        try {
            process = builder.start();
        } catch (IOException error) {
            throw new IllegalStateException(
                    "identity-emulator is not on the PATH: install it with `pipx install PATH-OF-ITS-CLONE`, "
                            + "or see its docs/install.md",
                    error);
        }
        try {
            String line = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)).readLine();
            if (line == null) {
                throw new IllegalStateException("identity-emulator ended with status " + process.waitFor());
            }
            return line;
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }
}
