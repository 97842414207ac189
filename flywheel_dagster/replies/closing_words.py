"""The words of a sign-off ("Kind regards", "Viele Grüße"), and ordinary words that no name consists of, in the languages that we read."""

import re

# With which a writer takes leave. A name has to follow those of _THANKS, which may be all that the reply says.
_REGARDS = (
    r"(?:(?:with |my |very |kind(?:est)? |best |warm(?:est)? |many |all )*(?:regards|wishes|greetings)(?: to all)?|(?:all )?(?:the )?best|"
    r"sincerely|sincerely yours|yours sincerely|yours truly|yours faithfully|yours|respectfully|cordially|warmly|cheers|rgds|brgds|kr|br|"
    r"take care|talk soon|speak soon|see you(?: soon)?|have a (?:great|good|nice) (?:day|one|evening|weekend|week)|looking forward|"
    r"love|xoxo|later|ciao|bye|"
    r"mfg|lg|vg|bg|(?:mit )?(?:freundliche[nm]?|beste[nr]?|viele[n]?|liebe[n]?|herzliche[nm]?|schöne[n]?|sonnige[n]?)(?: und \w{3,15})? "
    r"gr(?:ü|ue)(?:ß|ss)(?:e|en)?(?: aus \w{2,20})?|gr(?:ü|ue)(?:ß|ss)e?(?: aus \w{2,20})?|hochachtungsvoll|bis bald|"
    r"(?:bien |très |tres )?cordialement|(?:bien )?(?:cordialement )?à vous|bien à (?:vous|toi)|cdlt|cdt|sincères salutations|salutations|"
    r"(?:meilleures|sincères|cordiales) salutations|bonne (?:journée|soirée|semaine)|belle journée|amicalement|respectueusement|à bientôt|"
    r"(?:un |unos |muchos )?(?:cordial(?:es)? |atentos? |afectuosos? )?saludos?(?: cordial(?:es)?| atentos?)?|atentamente|atte|"
    r"cordialmente|un abrazo|abrazos|que tenga (?:un )?buen día|hasta pronto|"
    r"atenciosamente|att|atte|cumprimentos|(?:com os )?(?:melhores|meus) cumprimentos|(?:um )?abraços?|(?:um )?abraço|saudações|"
    r"cordiali saluti|distinti saluti|(?:un )?saluto|saluti|met vriendelijke groet(?:en)?|mvg|groet(?:en|jes)?|vriendelijke groet(?:en)?|"
    r"(?:med )?vänlig(?:a)? hälsning(?:ar)?|mvh|hälsningar|med vennlig hilsen|vennlig hilsen|hilsen|venlig hilsen|med venlig hilsen|"
    r"pozdrawiam|z poważaniem|pozdrawiam serdecznie|s pozdravem|с уважением|з повагою)"
)
_THANKS = (
    r"(?:(?:many |and )?thanks(?: again| a lot| so much| very much| a million| in advance)?(?: and)?(?: best| kind)?(?: regards)?|tks|thx|tx|ty|"
    r"thank you(?: again| so much| very much| in advance| for your (?:time|help|understanding))?(?: and)?(?: best| kind)?(?: regards)?|"
    r"(?:vielen |herzlichen |besten |schönen )?dank(?: und)?(?: im voraus)?(?: (?:viele|beste|liebe) grüße)?|danke(?: schön)?|merci(?: beaucoup| d'avance)?|"
    r"(?:muchas |mil )?gracias|(?:muito )?obrigad[oa]|grazie(?: mille)?|dank je(?: wel)?|bedankt|tack|takk|tak|dzięki)"
)
REGARDS = re.compile(rf"\W{{0,4}}{_REGARDS}\W{{0,4}}", re.IGNORECASE)
SIGN_OFF = re.compile(rf"\W{{0,4}}(?:{_THANKS}|{_REGARDS})[^\w]{{0,4}}", re.IGNORECASE)
SIGN_OFF_AND_NAME = re.compile(rf"(?:{_THANKS}|{_REGARDS})(?:[ \t]?[,.!;:–—-]+[ \t]*|[ \t]{{2,}})(?P<name>\S.*)", re.IGNORECASE)

_ORDINARY_WORDS = """
agreement approval brochure budget case competitor contract costs decision dollars euros evaluation extension features feedback finance
freeze funding implementation integration legal licence license management partner pilot procurement product project proposal quarter
refund renewal reference security service software solution subscription support team trial vendor webinar year
a about above accepted address after agreed ahead all already also am an and another any approved april are as ask at
attached attention august available away back be because been before below best busy but buy by bye call calls can cancel
cheap closed come confirmed congratulations contact cool correct customer day deadline deal dear december decline definitely
delete demo denied did disagree disappointed do does don't done draft either email enjoy enough even ever every everyone
exactly excellent expensive fantastic february fine first follow for forget free friday from fyi go good goodbye great had
happy has have he hello help her here hey hi him his hmm home how i i'll i'm if in indeed info information interested invoice
is it it's january july june just keep know late later leave let let's list lol looking looks love lunch mail make march may
maybe me meet meeting message monday month more morning most mostly much my need neither never new next nice no none nope not
noted nothing november now number numbers october of off offer ok okay on one only open opt or otherwise our out over
overpriced pass pause pending perfect phone please pleased point possible postpone price pricing probably ps question
questions quit quote ready really received regarding rejected related remove reply resend right same saturday schedule see
send sent september she should signed so some soon soonish sorry sounds spam stop subscribe sunday super sure talk tbd tbh
tell thank thanks that the their them then there they this though thursday time to today together tomorrow tonight too true
try tuesday unclear understood unfortunately unlikely unsubscribe until up us use useful useless very wait want was we
wednesday week weekly welcome well were what whatever when where which who why will wish with wonderful works would wow wrong
yeah yep yes yesterday yet you your
abbestellen abbestellung aber abgelehnt abgemacht ablehnen abmelden alles als am an auch auf aus bei bestätigt bin bis bitte
danke dann das dass dem den der des die dienstag doch donnerstag ein eine einen einladung einverstanden entfernen entfernt er
erledigt es falsch freitag für genau gern gerne gut haben hallo hat heute ich ihr im immer in interessant interesse
interessiert ist ja jetzt kein keine klar klingt konkurrenz kontakt korrekt kosten leider löschen mehr mein mich mir mit
mittwoch montag morgen nach nein nicht nichts noch nur nächste oder okay passt perfekt preis richtig samstag schade schon
schön sehr sie sind sofort sonntag spitze später stimmt stopp super termin teuer toll unbedingt und uns verstanden vielen
vielleicht vom von wann war warten warum was wenn wer wie wir wird wo woche zu zufrieden zum zur zusage
abonnement ai annuler arrêtez au aucun aussi avec avez bien bientôt bof bon bonjour c'est ce cher combien compris confirmé
d'accord dans de demain des dommage du désabonner désinscrire en entendu est et exactement excellent fait faux formidable
génial il impossible intéressant intéressé intéressée j'ai jamais je jeudi la le les lundi mais mardi me merci mercredi moi
mon ne non nos notre nous offre on ou oui par parfait pas peut-être plus pour pourquoi prix quand que quel qui quoi refusé
rendez-vous rien samedi sans si stop supprimer sur tard trop très tu un une vendredi volontiers votre vous vraiment être
aceito aceptado acordo adelante agora ahora al algo amanhã até baja bien boa bom bueno bájenme cancelado cancelar cancele
caro caso claro com combinado como con confirmado conforme correcto cuando cuánto da dar de del demasiado depois descadastrar
después dia domingo dos ele eliminar ella em en entendido equivocado errado es essa esta este estou estoy está exactamente
exatamente exato excelente fechado feira genial gracias gustaría hasta hoje hola hoy imposible impossível interesa interesada
interesado interesante interessada interessado interesse isso jueves jurídico lo luego lunes mais martes mas mañana me mejor
mi miércoles muito muy na nada nao ninguna no nos nossa nosso nunca não o obrigada obrigado ok ou para parar parem perfecto
perfeito pero por precio preço puede qual qualquer quando quanto que quem quero quiero quizás rechazado recusado remova
remover reunião reunión se segunda sem ser si sim sin sobre sou su sus suscribir sábado talvez também tampoco tarde te tengo
tenho todo trato uma un una vale viernes vou y ya ótimo
"""
_ORDINARY = frozenset(_ORDINARY_WORDS.split())
_LETTERS = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")


PARTICLES = frozenset(
    (
        "de",
        "da",
        "do",
        "dos",
        "das",
        "del",
        "della",
        "di",
        "du",
        "la",
        "le",
        "van",
        "von",
        "vom",
        "zu",
        "zur",
        "der",
        "den",
        "e",
        "y",
        "und",
        "and",
    )
)


def is_ordinary(words: str) -> bool:
    """Whether one of the words is no part of a name: "Tuesday works", "Not Interested", "Baja". Particles ("van", "de la") are."""
    first, *others = _LETTERS.findall(words.replace("’", "'")) or [""]
    return first.casefold() in _ORDINARY or any(word not in PARTICLES and word.casefold() in _ORDINARY for word in others)
