"""Plain German replies that anybody would expect to be read rightly."""

import pytest

from flywheel_dagster_tests.replies.rules.plain import languages, rows, share_right

_REPLIES = """
= positive high none
Das klingt sehr interessant, erzählen Sie mir bitte mehr.
Klingt spannend! Wann hätten Sie Zeit für ein Gespräch?
Gerne, wie wäre es mit Donnerstag um 10 Uhr?
Ja, sehr gerne. Schicken Sie mir bitte einen Terminvorschlag.
Können wir nächste Woche telefonieren?
Dienstag um 14 Uhr passt mir gut.
Lass uns am Freitag kurz telefonieren.
Rufen Sie mich morgen Vormittag an.
Ja, wir sind interessiert. Wie geht es weiter?
Super, ich freue mich auf unser Gespräch am Montag.
Bitte senden Sie mir weitere Informationen zu.
Könnten Sie mir ein paar Unterlagen schicken?
Schick mir gern mehr Infos.
Funktioniert das auch mit SAP?
Gibt es eine Schnittstelle zu Salesforce?
Wo werden die Daten gespeichert?
Wie lange dauert die Einführung?
Ist Ihre Lösung DSGVO-konform?
Welche Unternehmen nutzen Ihr Produkt bereits?
Können Sie mir eine Demo zeigen?
Was unterscheidet Sie von Ihren Mitbewerbern?
Haben Sie Referenzen aus unserer Branche?
Klar, ruf mich einfach an.
Perfekt, dann bis Mittwoch um drei.
Kein Problem, lassen Sie uns reden.
Wir hätten gerne ein Angebot für 50 Mitarbeiter.
Was kostet das?
Wie teuer ist das Ganze?
Wie hoch sind die monatlichen Kosten?
Können Sie mir Ihre Preise nennen?
Bitte schicken Sie uns Ihre Preisliste.
Gute Idee, das sollten wir ausprobieren. Wann können wir starten?
Das gefällt mir, lassen Sie uns einen Termin vereinbaren.
Passt bei Ihnen morgen um 11?
Ja, gerne, ich habe am Nachmittag Zeit.
Ich würde gerne mehr darüber erfahren.
Guten Tag, vielen Dank für Ihre Nachricht. Das Thema beschäftigt uns gerade sehr. Können wir am Montag kurz sprechen?
Ihr Timing ist perfekt, wir suchen gerade nach so etwas. Schicken Sie mir bitte einen Link zum Buchen.
Wie sieht es mit der Datensicherheit aus?
Was wäre der nächste Schritt?
Hätten Sie morgen Nachmittag Zeit für ein kurzes Telefonat?
Nicht uninteressant. Was genau macht Ihre Software?
Wir sind offen für ein Gespräch. Donnerstag ab 9 Uhr würde gehen.
Mit welchen Kosten müssten wir rechnen?
Ich war erst skeptisch, aber das klingt überzeugend. Lassen Sie uns reden.
Bis wann könnten Sie liefern?
Das trifft genau unser Problem. Haben Sie eine Testversion?
Moin, hört sich vernünftig an. Ruf doch morgen früh mal durch.
Ich hab Interesse. Was braucht ihr von mir?
Gern, machen wir doch einen kurzen Videocall aus.
Können Sie das auch auf Englisch anbieten?
Wie schnell ließe sich das umsetzen?
Wir suchen tatsächlich gerade einen neuen Anbieter. Wann passt es Ihnen?
Einverstanden, buchen Sie mir bitte einen Termin ein.
Mich würde interessieren, wie Sie die Daten schützen.
Habt ihr dazu ein Video oder eine Broschüre?
Ab wie vielen Nutzern gibt es Rabatt?
Das hat meine Neugier geweckt, bitte mehr dazu.
Ja bitte, Unterlagen gern per Mail.
Wer sind Ihre Kunden in Österreich?
Das können wir gerne nächste Woche besprechen.
Genau mein Thema! Wann können wir loslegen?
Klingt gut, wie läuft das ab?
Schicken Sie den Vertrag, wir machen es.
Montag passt.
Ab 16 Uhr bin ich erreichbar.
Ja, das interessiert uns, schicken Sie mal was.
Läuft das auch auf dem Handy?
Braucht man dafür eine Schulung?
Zeigen Sie mir, was Sie haben.
= positive - none
Das ist genau das, was wir suchen.
Wir haben großes Interesse an Ihrer Lösung.
Sehr gerne!
Das klingt gut.
Sehr spannend!
Worum geht es genau?
Da bin ich dabei.
Sehr schönes Angebot!
= positive high competitor
Wir arbeiten zwar schon mit einem Anbieter, sind aber nicht zufrieden. Was können Sie besser?
= neutral low none
Danke.
Danke für die Information.
Vielen Dank für Ihre Nachricht.
Alles klar.
Ok, notiert.
Habe ich erhalten, danke.
Zur Kenntnis genommen.
Danke, ist angekommen.
Besten Dank für den Hinweis.
Verstanden, danke.
Danke fürs Bescheidgeben.
Ist notiert.
Merci, hab ich gesehen.
Danke für Ihre Mail, ich habe sie gelesen.
Besten Dank, liebe Grüße
Vielen Dank für die Unterlagen, sind angekommen.
Habe ich zur Kenntnis genommen.
Okay, danke dir.
Alles klar, danke und schönen Tag.
= neutral medium -
Halten Sie mich bitte auf dem Laufenden.
Vielleicht, ich muss darüber nachdenken.
Ich schaue es mir an und melde mich.
Mal sehen, ich bin noch unsicher.
Ich überlege es mir.
Derzeit haben wir keinen Bedarf, aber ich behalte Sie im Hinterkopf.
Aktuell brauchen wir das nicht, bei Bedarf kommen wir auf Sie zu.
Danke, ich leite es intern weiter und melde mich, falls wir Fragen haben.
Ich lese mir das in Ruhe durch.
Grundsätzlich nicht ausgeschlossen, aber versprechen kann ich nichts.
Behalten Sie mich im Verteiler, vielleicht wird es irgendwann relevant.
Eventuell. Ich melde mich, wenn es konkreter wird.
Bin noch nicht ganz überzeugt, muss ich mir noch überlegen.
Kann ich gerade schwer sagen, vielleicht.
Bitte informieren Sie mich, wenn es Neuigkeiten gibt.
Sollte sich etwas ändern, komme ich auf Sie zu.
Ich werfe mal einen Blick darauf.
Wir besprechen das demnächst intern.
Ich komme bei Gelegenheit auf Sie zu.
Wir prüfen das und geben Ihnen Rückmeldung.
Ich hebe mir die Mail auf.
Das muss ich mir in Ruhe anschauen.
= neutral medium timing
Bitte melden Sie sich im Herbst noch einmal.
Im Moment passt es leider nicht, vielleicht im nächsten Quartal.
Derzeit haben wir keine Zeit, kommen Sie im Januar wieder auf uns zu.
Momentan nicht, aber fragen Sie in einem halben Jahr gerne noch mal nach.
Gerade ist es schlecht, melde dich bitte nach den Sommerferien.
Dieses Jahr nicht mehr, aber gerne im nächsten Jahr.
Zurzeit ist es nicht möglich, eventuell nach dem Sommer.
Bin gerade sehr beschäftigt, schreib mir nächsten Monat noch mal.
Jetzt nicht, vielleicht später.
Sprechen wir nach Weihnachten darüber.
Aktuell haben wir keine Kapazitäten, ab März sieht es besser aus.
Wir stecken mitten in einem Umzug, melden Sie sich bitte im Mai noch einmal.
Vor dem Sommer wird das nichts, danach gerne.
Im Augenblick haben wir andere Prioritäten. Fragen Sie uns gern im nächsten Jahr wieder.
Leider gerade keine Zeit, können wir das auf nächsten Monat verschieben?
Das ist für uns erst ab 2027 ein Thema.
Rufen Sie mich in drei Monaten noch mal an.
Ich bin gerade im Stress, später gerne.
Wir sind gerade in der Urlaubszeit, bitte im September wieder melden.
Heute und diese Woche geht nichts mehr, nächste vielleicht.
Vor Jahresende schaffen wir das nicht, lassen Sie uns im Februar sprechen.
Im Prinzip ja, aber nicht in diesem Quartal.
Das Thema ist bei uns auf nächstes Jahr verschoben.
Ich bin bis Ostern komplett ausgelastet, danach können Sie mich gern noch einmal ansprechen.
Wir sind gerade mit dem Jahresabschluss beschäftigt, bitte im Februar noch mal anklopfen.
Das wird frühestens im dritten Quartal interessant.
Ich bin im Moment unterwegs, lassen Sie uns im Juni sprechen.
= neutral medium authority
Ich muss das erst mit meinem Chef besprechen.
Das muss die Geschäftsführung entscheiden.
Ich kläre das intern und melde mich bei Ihnen.
Das kann ich nicht allein entscheiden.
Ich spreche mit meinem Team darüber.
Darüber entscheidet bei uns der Vorstand, ich lege es ihm vor.
Ich bespreche das mit meiner Chefin und gebe Ihnen Bescheid.
Muss ich erst mit meinem Mann klären.
Da muss ich erst Rücksprache mit der Geschäftsleitung halten.
Ohne die Zustimmung meines Chefs geht da nichts, ich frage ihn.
Ich stelle es in der nächsten Teamsitzung vor.
Das entscheidet unser Einkauf.
Ich brauche dafür die Freigabe meiner Vorgesetzten.
= neutral - -
Bitte wenden Sie sich an Frau Müller, sie ist dafür zuständig.
Dafür ist Herr Schmidt zuständig.
Ich habe Ihre Mail an unsere Einkaufsabteilung weitergeleitet.
Ansprechpartner ist mein Kollege Thomas Weber.
Sprechen Sie am besten mit unserem Marketing.
Meine Kollegin Anna kümmert sich um das Thema.
Für solche Anfragen ist unser Einkauf zuständig: einkauf@example.com
Schreiben Sie bitte meinem Kollegen Peter Lang, er kümmert sich darum.
Ich habe das an die IT weitergegeben.
Das macht bei uns die Personalabteilung, bitte dort anfragen.
Bitte richten Sie Ihre Anfrage an info@example.com.
Zuständig wäre Frau Dr. Klein.
Frau Lehmann wird sich bei Ihnen melden, ich habe ihr die Mail geschickt.
Ich setze Herrn Braun in Kopie, er betreut das Thema.
Bitte kontaktieren Sie dazu unsere Marketingabteilung.
Am besten sprechen Sie Herrn Yilmaz an.
Für dieses Thema ist die Zentrale in Köln verantwortlich.
= neutral none -
Da sind Sie bei mir falsch.
Ich bin nicht der richtige Ansprechpartner.
Ich bin dafür nicht zuständig.
Sie haben die falsche Person erwischt.
Herr Meier arbeitet nicht mehr bei uns.
Frau Schulz hat das Unternehmen verlassen.
Ich glaube, die Mail war nicht für mich bestimmt.
Falsche Adresse, ich habe mit dem Thema nichts zu tun.
Frau Berger ist nicht mehr im Unternehmen.
Ich arbeite gar nicht in diesem Bereich.
Herr Vogel ist seit Mai im Ruhestand.
Hier liegt wohl eine Verwechslung vor.
Ich bin nur der Hausmeister, dazu kann ich nichts sagen.
Diese Adresse gehört nicht mehr Herrn Fuchs.
Ich bin seit März nicht mehr bei dieser Firma.
= neutral none none
Ich bin bis zum 15. August nicht im Büro.
Vielen Dank für Ihre Nachricht. Ich bin derzeit im Urlaub und ab dem 3. Juni wieder erreichbar.
Dies ist eine automatische Antwort.
Abwesenheitsnotiz: Ich bin bis Montag außer Haus. In dringenden Fällen wenden Sie sich bitte an meine Kollegin.
Ihre Anfrage ist bei uns eingegangen. Wir melden uns schnellstmöglich.
Ich befinde mich in Elternzeit.
Vielen Dank für Ihre E-Mail. Ich bin am 5. Januar wieder im Büro. Ihre Mail wird nicht weitergeleitet.
Unser Büro ist vom 24.12. bis 1.1. geschlossen.
Automatische Antwort: Ich bin heute außer Haus und lese meine Mails erst am Donnerstag.
Bin bis Mittwoch auf Dienstreise und nur sporadisch erreichbar.
Ich habe Urlaub und bin ab dem 12. wieder da.
= negative none not_interested
Kein Interesse.
Wir haben kein Interesse, danke.
Ich habe kein Interesse.
Leider kein Interesse.
Danke, aber wir haben kein Interesse daran.
Wir sind nicht interessiert.
Ich bin daran nicht interessiert.
Das interessiert mich nicht.
Das ist für uns nicht interessant.
Vielen Dank für Ihr Angebot, aber das ist leider nichts für uns.
Nein danke.
Nein, vielen Dank.
Danke, nein.
Lieber nicht.
Nein.
Das kommt für uns nicht in Frage.
Das passt leider nicht zu uns.
Vielen Dank für die nette Nachricht, aber wir möchten Ihr Angebot nicht annehmen.
Ihr Produkt klingt toll, ist aber leider nichts für uns.
Wir müssen leider absagen. Ihnen weiterhin viel Erfolg!
Wir haben uns dagegen entschieden.
Wir lehnen dankend ab.
Es besteht kein Interesse unsererseits.
Ich muss Sie leider enttäuschen, das ist für uns kein Thema.
Da muss ich passen.
Danke für die Mühe, aber wir verfolgen das nicht weiter.
So spannend das klingt, wir haben uns entschieden, es nicht zu machen.
Wir bleiben bei unserem Nein.
Ich habe daran wirklich überhaupt kein Interesse.
Ein interessantes Produkt, aber für uns leider nicht relevant.
Nee, lass mal.
Sehr freundlich von Ihnen, aber wir möchten darauf verzichten.
Interessiert mich null.
Wir haben daran derzeit und auch künftig kein Interesse.
Hallo, das ist nichts für mich. Trotzdem danke!
Interessanter Ansatz, passt aber nicht zu unserer Strategie.
Ich möchte das nicht.
Nein, das wollen wir nicht.
Wir sehen von einer Zusammenarbeit ab.
Nach interner Prüfung haben wir uns gegen Ihr Angebot entschieden.
Danke, aber ich bin nicht interessiert und möchte auch keinen Termin.
Ein Gespräch ist nicht nötig, wir haben kein Interesse.
Vielen Dank für das tolle Angebot, leider müssen wir ablehnen.
Uns fehlt das Interesse an solchen Lösungen.
= negative none no_need
Wir haben keinen Bedarf.
Dafür haben wir keinen Bedarf, danke.
Kein Bedarf.
Das brauchen wir nicht.
Ich brauche das nicht, danke.
Wir machen das alles selbst.
Das lösen wir intern.
Dafür haben wir ein eigenes Team.
Wir sind bereits gut aufgestellt.
Wir sind dafür zu klein.
Wir benötigen so etwas nicht.
Das machen wir alles inhouse.
Wir kommen gut ohne zurecht.
So etwas brauchen wir in unserer Branche nicht.
Kein Bedarf und kein Interesse, schönen Tag noch.
Dafür sehe ich bei uns keinen Bedarf.
Unsere eigene IT erledigt das.
Wir verwenden so etwas nicht und haben es auch nicht vor.
= negative none competitor
Wir arbeiten bereits mit einem anderen Anbieter zusammen.
Wir haben schon einen Dienstleister dafür.
Wir nutzen bereits HubSpot und sind sehr zufrieden.
Wir sind mit unserem jetzigen Anbieter zufrieden.
Wir sind vertraglich gebunden.
Wir haben uns für einen Mitbewerber entschieden.
Wir haben gerade erst einen Vertrag mit einem anderen Anbieter unterschrieben.
Danke, aber wir sind bei Personio und bleiben dort.
Damit ist bei uns seit Jahren eine Agentur betraut.
Wir haben bereits einen festen Partner für dieses Thema.
Wir setzen seit Jahren auf SAP und wollen nicht wechseln.
= negative none price
Das ist uns zu teuer.
Dafür haben wir kein Budget.
Leider zu teuer für uns.
Das können wir uns nicht leisten.
Der Preis ist viel zu hoch.
Wir haben kein Geld dafür.
Das sprengt unser Budget.
Für uns ist das leider nicht bezahlbar.
Bei den Preisen sind wir raus.
Unser Budget ist bereits vollständig verplant, daher müssen wir absagen.
Dafür geben wir kein Geld aus.
Zu diesem Preis sicher nicht.
= negative none -
Hören Sie auf, mir zu schreiben!
Lassen Sie mich in Ruhe.
Bitte keine weiteren E-Mails.
Bitte nehmen Sie mich aus Ihrem Verteiler.
Bitte löschen Sie meine Daten.
Nehmen Sie mich von der Liste.
Bitte streichen Sie mich aus Ihrer Liste.
Abmelden
Newsletter abbestellen
Bitte tragen Sie mich aus.
Ich möchte keine weiteren Mails von Ihnen erhalten.
Schreiben Sie mir nicht mehr.
Bitte kontaktieren Sie mich nicht mehr.
Keine Werbung mehr, bitte.
Schickt mir bitte nichts mehr.
Ich widerspreche der Nutzung meiner Daten zu Werbezwecken.
Bitte löschen Sie alle personenbezogenen Daten gemäß Art. 17 DSGVO.
Woher haben Sie meine Adresse?
Das ist Spam. Ich werde Sie anzeigen.
Ihre ständigen Mails nerven.
Das ist jetzt die dritte Mail. Es reicht.
Unterlassen Sie weitere Kontaktaufnahmen, sonst schalte ich meinen Anwalt ein.
Na toll, noch eine Massenmail. Genau das hat mir noch gefehlt.
Wow, wie persönlich. Sie kennen nicht mal meinen Namen.
Verschwenden Sie nicht meine Zeit.
Nehmt mich sofort aus eurem Verteiler!
Bitte meine Adresse löschen.
Ich will von Ihnen nichts mehr hören.
Hiermit widerrufe ich meine Einwilligung zum Erhalt Ihrer Mails.
Sie rauben mir meine Zeit.
Wie oft soll ich noch sagen, dass ich kein Interesse habe?
Wieder so eine Standardmail aus dem Automaten. Herzlichen Glückwunsch.
Keine Mails mehr an diese Adresse.
Ich habe mich nie bei Ihnen angemeldet. Woher haben Sie meine Daten?
Für einen Betrieb unserer Größe lohnt sich das nicht.
Nochmals: Bitte löschen Sie mich aus dem Verteiler!
Stellen Sie die Zusendung von Werbung ein.
Ich habe bereits dreimal abgesagt.
Das ist eine Frechheit.
Schluss jetzt mit den Mails.
Wir wünschen keine weitere Kontaktaufnahme.
Könnten Sie mich bitte aus Ihrer Mailingliste entfernen?
Kann man sich hier irgendwo abmelden?
Toll, schon wieder ein Experte, der mein Geschäft retten will.
"""
_ROWS = rows(_REPLIES)


def test_every_plain_reply_has_its_label():
    _, wrong = share_right(_ROWS, "sentiment_label")
    assert wrong == []


@pytest.mark.parametrize("field", ["interest_level", "objection_type"])
def test_interest_and_objection_are_right_nineteen_times_in_twenty(field):
    share, wrong = share_right(_ROWS, field)
    assert share >= 0.95, wrong


def test_the_language_is_known():
    assert languages(_ROWS).count("de") >= 0.95 * len(_ROWS)
