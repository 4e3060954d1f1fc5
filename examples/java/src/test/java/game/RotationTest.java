package game;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The key that is replaced here is the key of this class's world only. */
class RotationTest {
    @RegisterExtension
    static final Emulator emulator = new Emulator(Map.of("seed", 7));

    @Test
    void aServerWithANewKeyRefusesTheTokensOfBefore() throws Exception {
        var session = new Session(emulator.url());
        String token = session.createIdentity().token();

        emulator.control("POST", "/spacetime/rotate-key", null);

        assertThrows(Session.Unauthorized.class, () -> session.websocketToken(token));
    }
}
