package game;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.text.ParseException;
import java.util.Base64;
import java.util.Map;
import java.util.Set;

/** The session of a game: an identity, a short-lived token, and whose a token is. */
public final class Session {
    /** What the server makes; the token never expires. */
    public record Identity(String identity, String token) {}

    /** The server refuses the token. */
    public static final class Unauthorized extends IOException {}

    private final HttpClient client = HttpClient.newHttpClient();
    private final String server;

    public Session(String server) {
        this.server = server;
    }

    /** A new identity. A server that is starting (503) is asked a second time. */
    public Identity createIdentity() throws IOException, InterruptedException {
        HttpRequest request = post("/v1/identity").build();
        HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
        if (answer.statusCode() == 503) {
            answer = client.send(request, BodyHandlers.ofString());
        }
        Map<String, Object> made = json(answer);
        return new Identity((String) made.get("identity"), (String) made.get("token"));
    }

    /** Trades a token for one that is good for a minute. */
    public String websocketToken(String token) throws IOException, InterruptedException {
        HttpRequest request = post("/v1/identity/websocket-token")
                .header("Authorization", "Bearer " + token)
                .build();
        return (String) json(client.send(request, BodyHandlers.ofString())).get("token");
    }

    /** The identity in a token that the server has signed. The server rounds {@code iat} up, which nimbus does not judge. */
    public String identityOf(String token)
            throws IOException, InterruptedException, GeneralSecurityException, JOSEException, BadJOSEException,
                    ParseException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server + "/v1/identity/public-key")).build();
        ECKey key = publicKey(client.send(request, BodyHandlers.ofString()).body());
        var processor = new DefaultJWTProcessor<>();
        processor.setJWSKeySelector(
                new JWSVerificationKeySelector<>(JWSAlgorithm.ES256, new ImmutableJWKSet<>(new JWKSet(key))));
        JWTClaimsSet exact = new JWTClaimsSet.Builder().issuer("localhost").build();
        processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>("spacetimedb", exact, Set.of()));
        return processor.process(token, null).getStringClaim("hex_identity");
    }

    private static ECKey publicKey(String pem) throws GeneralSecurityException {
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        PublicKey key = KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der));
        return new ECKey.Builder(Curve.P_256, (ECPublicKey) key).build();
    }

    private HttpRequest.Builder post(String path) {
        return HttpRequest.newBuilder(URI.create(server + path)).POST(BodyPublishers.noBody());
    }

    private static Map<String, Object> json(HttpResponse<String> answer) throws IOException {
        if (answer.statusCode() == 401) {
            throw new Unauthorized();
        }
        if (answer.statusCode() != 200) {
            throw new IOException("the server answers " + answer.statusCode());
        }
        try {
            return JSONObjectUtils.parse(answer.body());
        } catch (ParseException error) {
            throw new IOException(error);
        }
    }
}
