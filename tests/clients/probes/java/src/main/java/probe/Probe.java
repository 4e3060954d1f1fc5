package probe;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.interfaces.ECPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Set;

/** Reads tasks, one JSON object a line, and writes what came of each: tests/clients/probes.py. */
public final class Probe {
    public static void main(String[] arguments) throws Exception {
        var tasks = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = tasks.readLine(); line != null; line = tasks.readLine()) {
            System.out.println(JSONObjectUtils.toJSONString(outcome(JSONObjectUtils.parse(line))));
        }
    }

    private static Map<String, String> outcome(Map<String, Object> task) {
        try {
            return Map.of("seen", task.get("by").equals("HttpClient") ? send(task) : verify(task));
        } catch (Exception error) {
            return Map.of("error", shown(error));
        }
    }

    /** Of an HTTP error the class: its text has ports. */
    private static String shown(Exception error) {
        String name = error.getClass().getName();
        return name.startsWith("java.") ? name : String.valueOf(error.getMessage());
    }

    private static String send(Map<String, Object> task) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        if (!task.get("before").equals("")) {
            client.send(HttpRequest.newBuilder(URI.create((String) task.get("before"))).build(), BodyHandlers.ofString());
            Thread.sleep(100); // the connection is back in the pool a moment after the answer
        }
        long milliseconds = (long) (((Number) task.get("seconds")).doubleValue() * 1000);
        HttpRequest request = HttpRequest.newBuilder(URI.create((String) task.get("url")))
                .method((String) task.get("method"), BodyPublishers.noBody())
                .timeout(Duration.ofMillis(milliseconds))
                .build();
        return String.valueOf(client.send(request, BodyHandlers.ofString()).statusCode());
    }

    private static String verify(Map<String, Object> task) throws Exception {
        byte[] der = Base64.getMimeDecoder().decode(((String) task.get("pem")).replaceAll("-----[A-Z ]+-----", ""));
        var key = (ECPublicKey) KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der));
        var keys = new ImmutableJWKSet<>(new JWKSet(new ECKey.Builder(Curve.P_256, key).build()));
        var processor = new DefaultJWTProcessor<>();
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.ES256, keys));
        JWTClaimsSet exact = new JWTClaimsSet.Builder().issuer("localhost").build();
        processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>("spacetimedb", exact, Set.of()));
        processor.process((String) task.get("token"), null);
        return "good";
    }
}
