"""Plain Spanish replies that anybody would expect to be read rightly."""

import pytest

from flywheel_dagster_tests.replies.rules.plain import label, languages, rows, share_right

_REPLIES = """
= positive high none
Me interesa mucho. ¿Podemos hablar la próxima semana?
Suena muy interesante, cuénteme más.
Cuéntame más, por favor.
Contame más, me interesa.
Sí, claro, hablemos el jueves a las 10.
Perfecto, el martes a las 4 me viene bien.
¿Le parece bien el miércoles por la tarde?
¿Cuándo podemos hablar?
Me gustaría agendar una reunión.
Agendemos una llamada.
Envíeme más información, por favor.
Mándame los detalles.
Mandame info por favor
¿Me puede enviar una presentación?
¿Podrías mostrarme una demo?
¿Se integra con Salesforce?
¿Dónde se alojan los datos?
¿Cuánto tiempo tarda la implementación?
¿Qué los diferencia de la competencia?
¿Tienen clientes en México?
¿Cómo funciona exactamente?
Quisiera saber más sobre su producto.
Me encantaría conocer más detalles.
Nos interesa, ¿cuáles son los siguientes pasos?
Es justo lo que estamos buscando.
Llámame mañana al mediodía.
Puede llamarme al 600 123 456 cuando quiera.
No hay problema, hablamos mañana.
Sí, tengo disponibilidad el lunes.
¿Cuánto cuesta?
¿Qué precio tiene?
¿Cuál es el precio para 20 usuarios?
¿Me pasas los precios?
Quisiera recibir una cotización.
¿Me puede mandar un presupuesto?
¿Les queda bien mañana a las 11?
Dale, coordinemos una llamada para el viernes.
Estoy interesado, ¿qué necesita de mi parte?
Buenas tardes, nos llega en buen momento. ¿Tendría un rato el miércoles para contarnos cómo funciona?
Nos vendría bien algo así. ¿Qué incluye el servicio?
¿Y eso cómo se instala?
Sí, por favor, mande el enlace para la reunión.
Pues mira, justo andamos buscando algo parecido. ¿Hablamos?
¿Tienen algún caso de éxito en el sector hotelero?
Me gustaría probarlo antes de decidir. ¿Hay versión de prueba?
Che, me copó la idea. ¿Cuándo lo vemos?
¿Por cuánto saldría para un equipo de diez?
Me parece bien, quedamos el lunes a las nueve.
¿Cumple con la normativa europea?
= positive - none
Me interesa
Estamos muy interesados en su propuesta.
¡Qué buena idea!
Suena muy bien.
¡Me encanta!
¿De qué se trata?
= positive high competitor
Ya tenemos un proveedor, pero no estamos contentos. ¿Qué ofrecen ustedes?
= neutral low none
Gracias.
Muchas gracias por la información.
Recibido, gracias.
De acuerdo, gracias por avisar.
Ok, tomo nota.
Enterado.
Vale.
Visto, gracias.
Muchas gracias por escribir.
Perfecto, recibido.
= neutral medium -
Manténgame informado, por favor.
Tal vez, déjeme pensarlo.
Lo voy a pensar.
Lo reviso y te digo.
Quizás, no estoy seguro.
Por ahora no lo necesitamos, pero guardo su contacto.
De momento no nos hace falta, pero lo tendré en cuenta para el futuro.
Lo miro con calma y les comento.
Puede ser, pero no le prometo nada.
Avíseme si sacan alguna novedad.
Lo tendremos en cuenta.
= neutral medium timing
Ahora no es buen momento, escríbame en septiembre.
En este momento no, quizás el próximo año.
Por ahora no podemos, pero contácteme en enero.
Estamos muy ocupados, ¿lo retomamos después del verano?
Este año no, tal vez el próximo trimestre.
Escríbeme dentro de tres meses.
Vuelva a contactarme en otoño.
Ahora mismo no tengo tiempo, hablemos el mes que viene.
De momento no es posible, quizá más adelante.
Estoy a tope, búscame en marzo.
Estamos en plena mudanza, mejor hablamos en mayo.
Hasta después de Semana Santa no puedo mirar nada.
Ahorita no, pero búsqueme en enero.
Este trimestre lo tenemos completo, escríbanos para el siguiente.
No es el momento, quizás el año que viene.
Ando muy liado, ¿lo dejamos para el mes que viene?
Por el momento tenemos otras prioridades. Volvamos a hablar en otoño.
= neutral medium authority
Tengo que consultarlo con mi jefe.
Lo tengo que hablar con mi socio.
La decisión la toma la dirección.
Debo consultarlo con el equipo primero.
No depende de mí, lo decide el director.
Lo tiene que aprobar la gerencia, se lo presento y le aviso.
Debo hablarlo con mi mujer, que lleva las cuentas.
Lo comento con el jefe y te cuento.
= neutral - -
Habla con María López, ella se encarga de esto.
La persona responsable es Juan Pérez.
Le paso su correo a mi compañero de compras.
Diríjase por favor al departamento de marketing.
Reenvié tu mensaje a la persona encargada.
Contacte a mi colega Pedro, él lleva estos temas.
Para esto escriba a compras@example.com
Eso lo lleva mi compañera Laura, te paso su contacto.
He reenviado su propuesta al departamento de informática.
= neutral none -
Se ha equivocado de persona.
No soy la persona indicada.
Yo no llevo ese tema.
Carlos ya no trabaja aquí.
Ana dejó la empresa el año pasado.
Creo que este correo no era para mí.
No trabajo en esa área, creo que se confundió.
Este no es el contacto correcto.
El señor Ramírez ya no labora en esta empresa.
= neutral none none
Estoy fuera de la oficina hasta el 15 de agosto.
Estaré de vacaciones hasta el lunes. Para urgencias, escriba a mi compañera.
Esta es una respuesta automática.
Gracias por su mensaje. Me encuentro de vacaciones y responderé a mi regreso.
Hemos recibido su consulta y le responderemos lo antes posible.
Estoy de baja por maternidad hasta junio.
Gracias por su correo. Estaré ausente hasta el 7 de enero, sin acceso al correo.
Nuestra oficina permanecerá cerrada del 24 de diciembre al 1 de enero.
= negative none not_interested
No me interesa.
No nos interesa, gracias.
No estamos interesados.
No estoy interesado, gracias.
Gracias, pero no me interesa.
No tenemos interés.
No gracias.
No, muchas gracias.
No.
Le agradezco mucho su propuesta, pero no es para nosotros.
Muchas gracias por pensar en nosotros, pero vamos a declinar.
Suena interesante, pero no es lo que buscamos.
No encaja con lo que hacemos.
Lamentablemente no vamos a seguir adelante. ¡Mucho éxito!
Hemos decidido no continuar.
No, gracias. Le deseo mucha suerte.
No es de nuestro interés.
Por favor, no insista, no nos interesa.
No me interesa para nada.
Agradezco la oferta, pero paso.
Sin interés.
Prefiero que no.
Te agradezco el mensaje, pero no nos interesa en absoluto.
Muy amable, pero de momento y en el futuro no nos interesa.
La propuesta es buena, pero hemos decidido no seguir adelante.
No, gracias, no me interesa lo que venden.
Interesante producto, pero no es para una empresa como la nuestra.
No queremos, gracias.
No creo que sea para nosotros. Un saludo.
Va a ser que no.
La verdad es que no estamos interesados en este tipo de servicios.
= negative none no_need
No lo necesitamos.
No necesitamos ese servicio, gracias.
No nos hace falta.
Lo hacemos internamente.
Tenemos un equipo propio para eso.
Somos una empresa muy pequeña para algo así.
No tenemos esa necesidad.
Ya lo tenemos resuelto.
No me hace falta, gracias.
Lo hacemos nosotros mismos.
Eso lo resolvemos nosotros en casa.
No usamos nada de eso en nuestro negocio.
No le vemos utilidad para nuestro caso.
= negative none competitor
Ya trabajamos con otro proveedor.
Ya tenemos un proveedor para eso.
Ya usamos HubSpot y estamos contentos.
Estamos satisfechos con nuestro proveedor actual.
Tenemos contrato con otra empresa.
Nos decidimos por la competencia.
Acabamos de firmar con otra empresa.
Gracias, pero estamos con Holded y no pensamos cambiar.
De eso ya se ocupa una agencia.
= negative none price
Es demasiado caro.
Es muy caro para nosotros.
No tenemos presupuesto.
No tenemos presupuesto para eso.
Se sale de nuestro presupuesto.
No podemos pagarlo.
El precio es muy alto.
No nos lo podemos permitir.
Con esos precios no podemos.
Se nos escapa de presupuesto, así que lo dejamos.
No hay plata para eso.
= negative none -
Deje de escribirme.
Dejen de molestar.
No me escriba más.
No me escriban más por favor
No me contacte de nuevo.
Quiero darme de baja.
Por favor, denme de baja.
Dame de baja de tu lista.
BAJA
Bórreme de su lista.
Elimine mis datos.
Sáqueme de su base de datos.
Sácame de esta lista
Elimíname de la lista de correo.
No quiero recibir más correos.
No envíen más correos, por favor.
Cancelar suscripción
Por favor remover mi correo de su lista.
No deseo recibir más información.
Solicito la supresión de mis datos conforme al RGPD.
¿De dónde sacaron mi correo?
Esto es spam. Voy a denunciarlos.
Qué pesados son, ya les dije que no.
Es la tercera vez que me escriben.
Genial, otro correo automático. Justo lo que me faltaba.
Qué original, ni siquiera sabe mi nombre.
No me haga perder el tiempo.
Si siguen escribiendo, hablaré con mi abogado.
Déjenme en paz.
¡Basta ya de correos!
Sáquenme de su lista de una vez.
Borren mi correo de su base de datos.
No quiero saber nada más de ustedes.
Revoco mi consentimiento para recibir comunicaciones.
Me están haciendo perder el tiempo.
¿Cuántas veces tengo que decir que no?
Otro mensaje de plantilla, qué ilusión.
No manden más publicidad a este correo.
Nunca me suscribí a esto. ¿Quién les dio mi correo?
Para el tamaño que tenemos no merece la pena.
"""
_ROWS = rows(_REPLIES)


@pytest.mark.parametrize(("text", "expected"), _ROWS, ids=[text for text, _ in _ROWS])
def test_a_plain_reply_has_its_label(text, expected):
    assert label(text) == expected["sentiment_label"]


@pytest.mark.parametrize("field", ["interest_level", "objection_type"])
def test_interest_and_objection_are_right_nineteen_times_in_twenty(field):
    share, wrong = share_right(_ROWS, field)
    assert share >= 0.95, wrong


def test_the_language_is_known():
    assert languages(_ROWS).count("es") >= 0.95 * len(_ROWS)
