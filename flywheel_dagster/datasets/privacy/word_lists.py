"""Words that decide whether a value is a name: legal forms, titles, free-mail domains, and words that are no name by themselves."""

from flywheel_dagster.datasets.privacy.words import fold

_LEGAL_FORMS = """
ab ag aps as asa bhd bv cie co company corp corporation cv doo eireli eurl ev gbr gmbh inc incorporated kft kg kgaa kk lda limited
llc llp lp ltd ltda mbh me mei nv nyrt ohg oy oyj plc pte pty pvt sa sapa sarl sas sasu sau se sl slu spa srl srls sro ug vof zrt
"""
LEGAL_FORMS = frozenset(_LEGAL_FORMS.split())
_ARTICLES = """
as das de der die el gli het i il la las le les lo los o os the
"""
ARTICLES = frozenset(_ARTICLES.split())
_TITLES = """
bsc dame dipl don dona dott dottssa doña dr dra drs fr frau herr hr ing ir jr madam madame mademoiselle mag mba miss mlle mme mons
monsieur mr mrs ms msc mx phd prof professor senor senora señor señora sig signor signora sir sr sra srta
"""
TITLES = frozenset(map(fold, _TITLES.split()))
_PARTICLES = """
af al and av bin da das de del della den der di do dos du e el ibn la le les ten ter und van vom von y zu zur
"""
PARTICLES = frozenset(_PARTICLES.split())
_FREE_MAIL = """
126.com 163.com alice.it aol.com arcor.de att.net bbox.fr bellsouth.net bigpond.com bol.com.br btinternet.com charter.net
comcast.net cox.net daum.net duck.com earthlink.net example.com example.net example.org fastmail.com free.fr freenet.de globo.com
gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr
hotmail.it icloud.com ig.com.br laposte.net libero.it live.co.uk live.com live.de live.fr mac.com mail.com mail.ru mailbox.org
me.com msn.com naver.com neuf.fr ntlworld.com orange.fr outlook.com outlook.de outlook.es outlook.fr pm.me posteo.de proton.me
protonmail.com qq.com rocketmail.com rogers.com sapo.pt sbcglobal.net sfr.fr shaw.ca sina.com sky.com t-online.de telefonica.net
terra.com.br tiscali.it tutanota.com uol.com.br verizon.net virgilio.it virginmedia.com wanadoo.fr web.de yahoo.co.uk yahoo.com
yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru ymail.com zoho.com
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())
# Values that stand in a field where nothing is known, and words that are no name by themselves.
_NO_NAMES = """
a aber admin al all als also am an and any are as at au auf aux avec be been bei but by can client com company con contact could
customer da das de dear del dem den der des desconhecido desconocido did die do does dos du e ein eine einer el elle em email
employed empresa empty en entreprise es est et firma firstname for freelance freelancer friend from für get had has have he hello
here hey hi how ich if ihr il ils im in inconnu info is ist it its ja je just kein la las lastname le les let link lo los mail me
mit more most must my na name nan nas ne nein nicht nil no none nos not nous now null não o oder of office on only or organization
os ou our out par para pas phone por pour que sales se self shall she should si sie sind so some son sont su support sur sí tbd
team test than that the their them then there these they this those to um uma un una unbekannt und undefined une unknown uns up us
user very von vous war was we wenn were what when where who why wir with would y yes you your zu à é
"""
NO_NAMES = frozenset(map(fold, _NO_NAMES.split()))
# First and last names that are words too. Lower-case they are always words; capitalised, they are words before one of WORDS_AFTER.
_ALSO_WORDS = """
aimé amber amparo april art august autumn baker banker banks basil bauer berg berger best bill bishop black blanc blanca boulanger
brown buck bud bush campo carter case cash charity chase chip chuck claire clay clement cliff colt constance consuelo cook costa
cross cruz crystal curt daisy dale dawn day dean destiny dolores don drew duke désiré earl engel ernest ernst eve faith fidèle
field fields fisher fleur flores ford forest forrest frank fuchs gardner gene gill glen good grace grand grant gray green grey guy
hale hank harmony heath herb hill hope hunt hunter iris ivy jack jade jay jean jewel jim josh joy june junior juste jäger kaiser
ken king klein knight koch könig lake lance lane lang leblanc leite lily little long love luz mack major marin marina mark marsh
marshal mason max may melody mercedes mercy merit merry miles miller monte moon nick noble norm north noël nunes olive oliveira
opal page paige parfait park parker parks pat patience patty paz pearl peg penny pereira pete petit pierce pierre pilar pinto
piper pope potter power prado price prudence prudent rain ramos randy ray reed reef reign reis reyes rice rich richter river
rivers rob robby robin rocha rod rosa rose ruby rusty sage sandy santos savanna schneider schäfer scout serra sharp short silva
singer sky snow socorro sommer sonny star steel stein sterling stew stone storm strong sue summer tad taylor teddy terry tiffany
trinity trip tuck vale van vance victor violet vogel wade walker ward waters weber wells west white will winter wise wolf wood
woods worth wren young
"""
ALSO_WORDS = frozenset(map(fold, _ALSO_WORDS.split()))
_WORDS_AFTER = """
a all an any as be for i in it its more most my of on our that the their there these they this those to we you your yours
"""
WORDS_AFTER = frozenset(_WORDS_AFTER.split())
GREETINGS = (
    "hi|hey|hello|hiya|dear|morning|afternoon|evening|thanks|thank you|cheers|hallo|liebe|lieber|guten tag|moin|servus|danke|bonjour|salut|"
    "bonsoir|coucou|cher|chère|merci|hola|buenas|estimado|estimada|querido|querida|gracias|olá|oi|ola|caro|cara|prezado|prezada|obrigado|"
    "obrigada|ciao|buongiorno|gentile|grazie"
)
