package game;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SessionTest {
    @RegisterExtension
    static final Emulator emulator = new Emulator("""
            {"seed": 7, "idle_exit": 600}""");

    private Session session;

    @BeforeEach
    void connect() {
        session = new Session(emulator.url());
    }

    @Test
    void aTokenBelongsToTheIdentityThatItWasIssuedFor() throws Exception {
        Session.Identity made = session.createIdentity();

        assertEquals(made.identity(), session.identityOf(made.token()));
    }

    @Test
    void aShortTokenIsGoodForAMinuteAndAMinuteOfLeeway() throws Exception {
        String token = session.websocketToken(session.createIdentity().token());

        emulator.control("POST", "/clock", """
                {"advance": 122}""");

        assertThrows(Session.Unauthorized.class, () -> session.websocketToken(token));
    }

    @Test
    void aServerThatIsStartingIsAskedTwice() throws Exception {
        emulator.control("POST", "/faults", """
                {"request": "POST /v1/identity", "times": 1, "do": {"status": 503}}""");

        assertTrue(session.createIdentity().identity().startsWith("c200"));
    }

    @Test
    void aBadTokenIsRefusedAndTheJournalSaysWhy() {
        assertThrows(Session.Unauthorized.class, () -> session.websocketToken("nonsense"));

        String journal = emulator.control("GET", "/journal?status=401", null);
        assertTrue(journal.contains("segments: a token has three parts separated by dots, this has 1"), journal);
    }
}
