package game;

import com.nimbusds.jose.util.JSONObjectUtils;
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
import java.text.ParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** An emulator for one test class, with a new world for each test; one that fails prints its exchanges. */
final class Emulator implements BeforeAllCallback, BeforeEachCallback, AfterTestExecutionCallback, AfterAllCallback {
    private final HttpClient client = HttpClient.newHttpClient();
    /** A JVM that is killed can stop nothing: the emulator ends with the process that started it. */
    private final List<String> command =
            new ArrayList<>(List.of("identity-emulator", "serve", "--port", "0", "--exit-with-parent"));

    private Process process;
    private String url;

    Emulator(String... options) {
        command.addAll(List.of(options));
    }

    String url() {
        return url;
    }

    @Override
    public void beforeAll(ExtensionContext context) throws ParseException {
        // The log is dropped: a pipe that nobody reads would fill up.
        var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        try {
            process = builder.start();
        } catch (IOException error) {
            throw new IllegalStateException(
                    "identity-emulator is not on the PATH: install it with `pipx install PATH-OF-ITS-CLONE`, "
                            + "or see its docs/install.md",
                    error);
        }
        url = (String) JSONObjectUtils.parse(firstLine()).get("url");
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
        process.destroy();
    }

    /** Uses a control route. The body is JSON or null; returns the text of the answer. */
    String control(String method, String path, Map<String, ?> body) {
        var request = HttpRequest.newBuilder(URI.create(url + "/_emulator" + path));
        if (body == null) {
            request.method(method, BodyPublishers.noBody());
        } else {
            request.header("Content-Type", "application/json");
            request.method(method, BodyPublishers.ofString(JSONObjectUtils.toJSONString(body)));
        }
        try {
            var answer = client.send(request.build(), BodyHandlers.ofString());
            if (answer.statusCode() >= 300) {
                throw new IllegalStateException(method + " " + path + ": " + answer.body());
            }
            return answer.body();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    /** The emulator prints it when it is ready for requests. */
    private String firstLine() {
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
